"""The questions that several commands are asked."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from densecli.cli.named_sets import Choice, question_file, set_questions
from densecli.cli.session import Session
from densecli.errors import FieldError, UsageError

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords
    from densecli.records import Question


def asked(
    session: Session,
    given: str | None,
    answer_type: str | None,
    bad: "BadRecords",
    prompt: str,
    choice: Choice | None = None,
) -> "tuple[Iterator[Question], bool]":
    """Return the questions that an argument stands for, and whether they come one at a time.

    Nothing, with a person at the terminal, is a conversation; nothing with something piped in, or `-`, is
    stdin; a name of an existing file (or pipe) is that file; a single word that looks like a file's name
    must exist; anything else is a question itself. A `choice` of a data set stands in its place.

    Raises:
        UsageError: nothing was given or piped in, or something beside a data set, the question is empty,
            or an option is given that has an effect only on many questions.
        ArtifactError: the data set is not on this disk and cannot be fetched.
        InputError: a file is missing or is not what its name says.
    """
    from densecli.records import Question

    if choice is not None:
        if given is not None:
            raise UsageError("--dataset and a question (or a file of them) contradict each other")
        return set_questions(session, choice, question_file(session, choice), answer_type, bad), False
    if given is None and session.terminal.can_ask:
        _check_single(bad)
        return _conversation(session, prompt), True
    source = session.input_or_stdin(given, "question")
    if source == "-" or is_file(source) or _like_a_file(source):
        from densecli.io.doors.questions import read_questions

        return read_questions(source, answer_type, bad), False
    if answer_type is not None:
        raise UsageError("--answer-type has no effect on a single question, which comes without answers")
    _check_single(bad)
    try:
        return iter([Question.from_json({"question": source}, "1")]), True
    except FieldError as error:
        raise UsageError(f"{error.what}; ask something, or name a file of questions") from None


def _check_single(bad: "BadRecords") -> None:
    if bad.skip:
        raise UsageError("--on-error has no effect on a single question")


def is_file(text: str) -> bool:
    """Whether something that can be read has this name; a question may be too long for one."""
    return os.path.exists(text) and not os.path.isdir(text)


def _like_a_file(text: str) -> bool:
    endings = (".jsonl", ".csv", ".txt", ".gz", ".bz2", ".json")
    named = os.sep in text and os.path.isdir(text)
    return named or (" " not in text.strip() and text.endswith(endings))


def _conversation(session: Session, prompt: str) -> "Iterator[Question]":
    """Yield the questions that a person types, until an empty end of input."""
    from densecli.records import Question

    session.terminal.message("type a question; Ctrl-D ends")
    number = 0
    while True:
        try:
            text = session.terminal.ask(prompt)
        except EOFError:
            session.terminal.message("")
            return
        if text:
            number += 1
            yield Question(str(number), text)

"""What the question argument of a command means: a question, a file, standard input, or a conversation."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from densecli.cli.session import Session
from densecli.errors import UsageError
from densecli.records import Question


@dataclass(frozen=True)
class Conversation:
    """The questions that a person types, one at a time, until the end of input.

    `waiting` is shown from a question to its answer.
    """

    session: Session
    prompt: str
    waiting: str = ""

    def __iter__(self) -> Iterator[Question]:
        self.session.terminal.message("type a question; Ctrl-D ends")
        number = 0
        while True:
            try:
                text = self.session.terminal.ask(self.prompt)
            except EOFError:
                self.session.terminal.message("")
                return
            if text:
                number += 1
                with self.session.terminal.waiting(self.waiting) if self.waiting else nullcontext():
                    yield Question(str(number), text)


def parse_questions(
    session: Session,
    given: str | None,
    prompt: str,
    dataset: str | None = None,
    ask: bool = False,
) -> Question | Path | Conversation | None:
    """Return what an argument stands for; None stands for the questions of `dataset`.

    Nothing, with a person at the terminal, is a conversation; nothing with something piped in, or `-`, is
    stdin; a name of an existing file (or pipe) is that file; a single word that looks like a file's name
    must exist; anything else is a question itself, and so is everything with `ask`.

    Raises:
        UsageError: nothing was given or piped in, a question and a dataset were given, the question is empty,
            or an option is given that has an effect only on many questions.
    """
    if ask and given is None:
        raise UsageError("--ask has an effect only on a question in the argument")
    if dataset is not None:
        if given is not None:
            raise UsageError("--dataset and a question (or a file of them) contradict each other")
        return None
    if given is None and session.terminal.can_ask:
        _check_single(session)
        return Conversation(session, prompt)
    from densecli.workflows.search import parse_question, question_or_file

    source = session.input_or_stdin(given, "question")
    parsed = parse_question(source) if ask else question_or_file(source)
    if isinstance(parsed, Question):
        _check_single(session)
    return parsed


def parse_results_or_questions(
    session: Session, given: str | None, ask: bool
) -> tuple[Path | None, Question | Path | Conversation | None]:
    """Return the path of search results, or else the questions to search."""
    if not ask and (given is not None or not session.terminal.can_ask):
        from densecli.workflows.search import is_file

        source = session.input_or_stdin(given, "question or search results")
        if source == "-" or is_file(source):
            return Path(source), None
    return None, parse_questions(session, given, "read", ask=ask)


def _check_single(session: Session) -> None:
    """Refuse options that were typed and have no effect on a single question."""
    if "answer_type" in session.typed:
        raise UsageError("--answer-type has no effect on a single question, which comes without answers")
    if "on_error" in session.typed:
        raise UsageError("--on-error has no effect on a single question")

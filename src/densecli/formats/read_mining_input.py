"""What mining starts from: questions, with the passages that come with them where the file has any."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from densecli.artifacts.workspace import EXAMPLES_FILE
from densecli.files.bad_records import STOP, BadRecords
from densecli.files.streams import display_name
from densecli.formats.beir_folder import is_beir
from densecli.formats.detect import detect_format
from densecli.formats.documents import open_document
from densecli.formats.known import EXAMPLES, QUESTIONS
from densecli.formats.read_examples import read_examples
from densecli.records import TrainingExample


def read_mining_input(
    path: str, answer_type: str | None = None, bad: BadRecords = STOP
) -> Iterator[TrainingExample]:
    """Yield the questions of a file as training examples, without passages where it has none.

    Args:
        path: anything that `read_questions` or `read_examples` reads.
        answer_type: `string` or `regex`, in place of what the file says (or does not say).
        bad: what a question that cannot be used does.

    Raises:
        InputError: `file:line: what; expected`, for the first that cannot be used.
    """
    return with_answer_type(bad.usable(display_name(path), _examples(path, bad)), answer_type)


def with_answer_type(
    examples: Iterable[TrainingExample], answer_type: str | None
) -> Iterator[TrainingExample]:
    """Yield examples whose answers are matched as `answer_type` says; None leaves them as they are."""
    for example in examples:
        if answer_type is None:
            yield example
        else:
            yield replace(example, question=replace(example.question, answer_type=answer_type))


def _examples(path: str, bad: BadRecords) -> Iterator[TrainingExample]:
    if is_beir(path) or (Path(path) / EXAMPLES_FILE).is_file():
        yield from read_examples(path, bad)
        return
    with open_document(path, bad) as document:
        known = detect_format(document, QUESTIONS)
        if known.form.kind == EXAMPLES and not known.form.bare:
            yield from known.records()
        else:
            yield from (TrainingExample(question, ()) for question in known.questions())

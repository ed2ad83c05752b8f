"""Questions from any file that holds some: lists of them, training examples, search results, benchmarks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from densecli.files.bad_records import STOP, BadRecords
from densecli.files.streams import display_name
from densecli.formats.detect import detect_format
from densecli.formats.documents import open_document
from densecli.formats.known import QUESTIONS
from densecli.records import Question


def read_questions(path: str, answer_type: str | None = None, bad: BadRecords = STOP) -> Iterator[Question]:
    """Yield the questions of a file; ids are line numbers where the file has none (in a JSON array, places).

    The first record decides. JSON objects are known by their fields: `{"question", "answers" | "answer",
    "id"?, "answer_type"?}`, DPR's, Tevatron's and FlagEmbedding's training files, search results, SQuAD,
    KILT, BEIR's queries. A tab before a list is DPR's `*.qa.csv`; else, on stdin or in a .txt file, each
    line is a question. docs/formats.md has them all.

    Args:
        path: a file, a BEIR folder, `-` for stdin; .gz and .bz2 are decompressed.
        answer_type: `string` or `regex`, in place of what the file says (or does not say).
        bad: what a question that cannot be used does.

    Raises:
        InputError: `file:line: what; expected`, for the first question that cannot be used.
    """
    return bad.usable(display_name(path), _questions(path, answer_type, bad))


def _questions(path: str, answer_type: str | None, bad: BadRecords) -> Iterator[Question]:
    queries = Path(path) / "queries.jsonl"
    with open_document(str(queries) if queries.is_file() else path, bad) as document:
        for question in detect_format(document, QUESTIONS).questions():
            yield question if answer_type is None else replace(question, answer_type=answer_type)

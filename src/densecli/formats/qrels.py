"""Judgments of which passages answer which questions, as TREC and BEIR write them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from densecli.formats.columns import Columns, column, join_columns, table, whole_number
from densecli.formats.documents import Document

BEIR_HEADER = ["query-id", "corpus-id", "score"]


@dataclass(frozen=True, slots=True)
class Judgment:
    """How well a passage answers a question; above 0 it does."""

    question_id: str
    passage_id: str
    grade: int


def read_qrels(document: Document) -> Iterator[Judgment]:
    """Yield the judgments of `qid 0 docid grade` or, with BEIR's header, `qid docid grade`.

    Raises:
        InputError: a line has other columns.
    """
    return (one for _, one in table(document, _judgment, BEIR_HEADER))


def _judgment(columns: Columns) -> Judgment:
    return Judgment(columns[0], columns[-2], whole_number(columns[-1], "grade"))


def write_trec(judgments: Iterable[Judgment]) -> Iterator[bytes]:
    """Yield `qid 0 docid grade`.

    Raises:
        FieldError: an id is empty or holds a space, which parts the columns.
    """
    for one in judgments:
        yield f"{column(one.question_id)} 0 {column(one.passage_id)} {one.grade}\n".encode()


def write_beir(judgments: Iterable[Judgment]) -> Iterator[bytes]:
    """Yield BEIR's header, and `qid docid grade` with tabs between.

    Raises:
        FieldError: an id is empty or holds a tab or a line end.
    """
    yield join_columns(*BEIR_HEADER)
    for one in judgments:
        yield join_columns(one.question_id, one.passage_id, str(one.grade))

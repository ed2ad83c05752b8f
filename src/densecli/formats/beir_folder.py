"""BEIR's folders: `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`."""

import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from densecli.artifacts.passages.ids import hash_id
from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.errors import FieldError, InputError
from densecli.fields import Json
from densecli.files.bad_records import STOP, BadRecords
from densecli.files.jsonl import encode_line
from densecli.formats.beir import passage, passage_row, question, question_row
from densecli.formats.documents import open_document
from densecli.formats.lookup import Lookup, questions_by_id
from densecli.formats.qrels import Judgment, read_qrels, write_beir
from densecli.records import Passage, Question, TrainingExample

T = TypeVar("T")
CORPUS = "corpus.jsonl"
QUERIES = "queries.jsonl"
QRELS = "qrels"


def is_beir(path: str) -> bool:
    """Whether a path is a folder in BEIR's form, or one of its qrels files."""
    place = Path(path)
    folder = place.parent.parent if place.is_file() and place.parent.name == QRELS else place
    return all((folder / name).is_file() for name in (CORPUS, QUERIES))


def qrels_of(path: str) -> Path:
    """Return the judgments meant by a BEIR folder, or by the path of one of its qrels files.

    Raises:
        InputError: the folder has none, or several.
    """
    place = Path(path)
    if place.is_file():
        return place
    found = sorted((place / QRELS).glob("*.tsv"))
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} files in {place / QRELS}" if found else f"no {QRELS}/*.tsv in it"
    expected = f"the path of one: {', '.join(map(str, found))}" if found else "judgments"
    raise InputError(path, None, what, expected)


@contextmanager
def lookup_of(folder: Path, bad: BadRecords = STOP) -> Iterator[Lookup]:
    """Yield the texts of a folder; its corpus becomes a temporary passage store."""
    queries, corpus = str(folder / QUERIES), str(folder / CORPUS)
    questions = questions_by_id(_records(queries, question, bad), queries, bad)
    with tempfile.TemporaryDirectory(prefix="densecli-beir-") as place:
        _, fingerprint = write_passages(Path(place), _records(corpus, passage, bad), corpus, bad)
        yield Lookup(questions, PassageStore(Path(place), fingerprint))


def _records(path: str, build: Callable[[Json, str], T], bad: BadRecords) -> Iterator[T]:
    with open_document(path, bad) as document:
        yield from document.each(document.rows(), lambda row, number: (build(row, number),))


def examples_of(judgments: Iterable[Judgment]) -> Iterator[TrainingExample]:
    """Yield an example without texts for each question, in the order of their first judgments.

    A grade above 0 makes a positive. Any other makes a hard negative, since a person judged it.
    """
    held: dict[str, tuple[list[Passage], list[Passage]]] = {}
    for one in judgments:  # those of a question need not follow each other
        positives, negatives = held.setdefault(one.question_id, ([], []))
        (positives if one.grade > 0 else negatives).append(Passage(one.passage_id, "", ""))
    for question_id, (positives, negatives) in held.items():
        yield TrainingExample(Question(question_id, ""), tuple(positives), tuple(negatives))


def read_folder(path: str, bad: BadRecords = STOP) -> Iterator[TrainingExample]:
    """Yield the judged questions of a BEIR folder (or of one of its qrels files) with their passages.

    Raises:
        InputError: a file of it is missing or broken, or judges a missing passage.
    """
    qrels = qrels_of(path)
    with lookup_of(qrels.parent.parent, bad) as lookup, open_document(str(qrels), bad) as document:
        for example in examples_of(read_qrels(document)):
            try:
                whole = lookup.example(example)
            except FieldError as error:
                bad.refuse(error.code, InputError(qrels, None, error.what, error.expected))
            else:
                yield whole


def write_folder(
    folder: Path, examples: Iterable[TrainingExample], corpus: Iterable[Passage] | None, split: str
) -> int:
    """Write examples as a BEIR folder; return how many passages its corpus has.

    Args:
        folder: an existing, empty folder.
        examples: their questions, judgments (positives), and where there is no `corpus`, its passages.
        corpus: all passages, in place of those of the examples.
        split: name of the judgments' file.

    Raises:
        FieldError: an id is empty or has a space.
    """
    (folder / QRELS).mkdir()
    # hashes of ids and a file of texts: which passages come twice is known at the end, in bounded memory
    used = array("Q")
    count = 0
    with (
        open(folder / QUERIES, "wb") as queries,
        open(folder / QRELS / f"{split}.tsv", "wb") as qrels,
        tempfile.TemporaryFile(prefix="densecli-beir-") as spool,
    ):

        def judgments() -> Iterator[Judgment]:
            for example in examples:
                question = example.question
                queries.write(encode_line(question_row(question)))
                for passage in () if corpus is not None else example.passages:
                    used.append(hash_id(passage.id))
                    spool.write(encode_line(passage_row(passage)))
                for passage_id in dict.fromkeys(positive.id for positive in example.positives):
                    yield Judgment(question.id, passage_id, 1)

        for line in write_beir(judgments()):
            qrels.write(line)
        spool.seek(0)
        lines: Iterable[bytes] = spool
        if corpus is not None:
            lines = (encode_line(passage_row(one)) for one in corpus)
        else:
            first = np.zeros(len(used), dtype=bool)
            first[np.unique(np.frombuffer(used, dtype=np.uint64), return_index=True)[1]] = True
            lines = (line for line, is_first in zip(spool, first, strict=True) if is_first)
        with open(folder / CORPUS, "wb") as stream:
            for line in lines:
                stream.write(line)
                count += 1
    return count

"""Files of a dataset that are on this disk, under the names that the authors, others and we give them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from densecli.files.streams import OPENERS, open_bytes
from densecli.registry.sets import QuestionSet, Split

PLACES = ("", "retriever", "retriever/qas", "data/retriever", "data/retriever/qas",
          "downloads/data/retriever", "downloads/data/retriever/qas")  # fmt: skip
PACKED = ("", *OPENERS)
CUT = "cut.jsonl"
HEAD = 1 << 16


def find_questions(folders: Iterable[Path], one: QuestionSet, split: Split) -> Path | None:
    """Return the first file of questions of a split in `folders`, or None; no other split takes its place.

    In each folder (and where the authors' downloader puts files below it) the authors' names come first:
    `nq-dev.qa.csv`, then `nq-dev.csv`, then plain `nq-dev.jsonl`, then what was cut from the Hub's split.

    Where only training examples are published, their questions are taken.

    Raises:
        InputError: a file that could be it cannot be opened.
    """
    endings = ("qa.csv", "csv", "jsonl", CUT)
    folders = list(folders)
    for path in _there(folders, one, split, endings, ""):
        if not _holds_examples(path):
            return path
    return None if split.questions_published else find_examples(folders, one, split)


def find_examples(folders: Iterable[Path], one: QuestionSet, split: Split) -> Path | None:
    """Return the first file of training examples of a split in `folders`, or None.

    The authors' `biencoder-nq-train.json` comes first, then a `nq-train.json(l)` that holds
    examples.

    Raises:
        InputError: a file that could be it cannot be opened.
    """
    named = next(_there(folders, one, split, ("json", "jsonl"), "biencoder-"), None)
    return named or next(filter(_holds_examples, _there(folders, one, split, ("json", "jsonl"), "")), None)


def _there(
    folders: Iterable[Path], one: QuestionSet, split: Split, endings: Iterable[str], prefix: str
) -> Iterator[Path]:
    names = [f"{prefix}{stem}-{split.name}.{ending}" for stem in one.stems for ending in endings]
    names += [] if prefix else split.other_files
    for folder in folders:
        for place in PLACES:
            for name in names:
                paths = (folder / place / (name + packed) for packed in PACKED)
                yield from (path for path in paths if path.is_file())


def _holds_examples(path: Path) -> bool:
    """Whether a file's beginning names positive passages, as DPR's and Tevatron's training examples do."""
    with open_bytes(str(path)) as stream:
        return b'"positive_' in stream.read(HEAD)

"""What mining decides, in row numbers: small enough to pass between processes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from densecli.ranking.fusion import RANK_CONSTANT
from densecli.ranking.order import Rows, Scores
from densecli.records import TrainingExample

GIVEN = "given"
HARD = ("bm25", "dense")


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was chosen or may be: its row (-1: not in the collection), and what found it."""

    row: int
    source: str
    score: float | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The passages of one training example; a positive of source `given` represents all given ones.

    Attributes:
        positive: the first one.
        negatives: the negatives of all sources.
        further: other positives, which hold an answer.
    """

    positive: Hit
    negatives: tuple[Hit, ...]
    further: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive questions of the input, mined together.

    Attributes:
        first: the number of the first one in the input, from 0.
        examples: the questions, with the passages that are given.
        dense: rows and scores (n, depth) of the dense search, where it was asked for.
    """

    first: int
    examples: Sequence[TrainingExample]
    dense: tuple[Rows, Scores] | None = None


@dataclass(frozen=True, slots=True)
class Mined:
    """What came of a block: a choice for each question, None where it is dropped, and the counts."""

    choices: Sequence[Chosen | None]
    counts: Counter[str] = field(default_factory=Counter)


def merge_hits(lists: Iterable[Sequence[Hit]]) -> list[Hit]:
    """Return the hits of several lists by the sum of 1 / (60 + rank), best first, and each row once.

    A hit of several lists is the one of the first list.
    """
    firsts: dict[int, Hit] = {}
    value: dict[int, float] = {}
    for hits in lists:
        for rank, hit in enumerate(hits, 1):
            firsts.setdefault(hit.row, hit)
            value[hit.row] = value.get(hit.row, 0.0) + 1 / (RANK_CONSTANT + rank)
    return [firsts[row] for row in sorted(firsts, key=lambda row: (-value[row], row))]


def ranked_hits(rows: Rows, scores: Scores, source: str) -> list[Hit]:
    """Return the hits of one question, best first."""
    # FAISS pads missing hits with -1, always at the end
    found = int(np.count_nonzero(rows >= 0))
    pairs = zip(rows[:found].tolist(), scores[:found].tolist(), strict=True)
    return [Hit(row, source, score, rank) for rank, (row, score) in enumerate(pairs, 1)]

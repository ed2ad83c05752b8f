"""Training examples that can be read again in any order without holding their texts in memory."""

import math
import random
import shutil
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import orjson

from densecli.files.jsonl import encode_line
from densecli.files.shortages import temporary_space
from densecli.records import Context, Passage, TrainingExample
from densecli.text.same_text import text_key
from densecli.training.filtering import usable_part

T = TypeVar("T")

FIRST_POSITIVE, ALL_POSITIVES, ALL_HARD, ALL_OTHER = 1, 2, 4, 8
"""Kinds of passages that a teacher has scored."""


@dataclass(frozen=True, slots=True)
class SampledExample:
    """What one question brings to a batch: its positive and the negatives drawn for it.

    `right` are all positives of the question, those of other examples with the same question included.
    """

    id: str
    question: str
    positive: Passage
    negatives: tuple[Passage, ...]
    right: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidates(Generic[T]):
    """The passages of an example, as records or as numbers."""

    positives: Sequence[T]
    hard: Sequence[T]
    other: Sequence[T]

    def draw(
        self,
        other: int,
        hard: int,
        rng: random.Random | None,
        any_positive: bool = False,
        most_positives: int = 1,
    ) -> tuple[list[T], list[T]]:
        """Return the positives and the negatives that the question brings; see `ExampleSpool.draw`.

        Without `rng` both are the first ones.
        """
        # The authors' DPR shuffles both lists, the random negatives first, even where none of one is asked
        # for. With the same generator the draws are the same ones as there.
        others, hards = list(self.other), list(self.hard)
        if rng is not None:
            rng.shuffle(others)
            rng.shuffle(hards)
        # a question without hard negatives takes random ones, but not those that it has already
        negatives = others[:other] + (hards or others[other:])[:hard]
        if rng is None or not any_positive:
            return list(self.positives[:most_positives]), negatives
        if most_positives == 1:
            return [rng.choice(self.positives)], negatives
        return rng.sample(self.positives, min(most_positives, len(self.positives))), negatives


class ExampleSpool:
    """Examples in a nameless temporary file with a table of where each begins.

    Attributes:
        dropped: what was dropped, by reason.
    """

    def __init__(self, examples: Iterable[TrainingExample], dropped: Counter[str]) -> None:
        """Keep the usable examples; `dropped` counts the others by reason.

        Raises:
            ResourceError: the disk of the temporary folder is full.
        """
        # without a name, so that it goes even when the process is killed; open for as long as the spool lives
        self._file = tempfile.TemporaryFile(prefix="densecli-examples-")  # noqa: SIM115
        # arrays, since lists of Python integers take several times the memory
        self._starts = array("Q", [0])
        self._hard, self._other = array("I"), array("I")
        self._asked = array("q")
        self._twins: dict[int, list[int]] | None = None
        self.dropped: Counter[str] = Counter()
        self._taught = array("B")
        self.add(examples, dropped)

    @classmethod
    def open(cls, path: Path, hard: Sequence[int], other: Sequence[int]) -> "ExampleSpool":
        """Open what `copy` wrote, with the numbers of hard and other negatives of each example.

        Raises:
            OSError: the file cannot be read.
            ValueError: it has another number of examples.
        """
        spool = cls((), Counter())
        with path.open("rb") as stream:
            for line in stream:
                spool._file.write(line)
                spool._starts.append(spool._starts[-1] + len(line))
        # only a reader's examples are opened again; its training never asks for the same question or a
        # teacher
        spool._hard, spool._other = array("I", hard), array("I", other)
        if not len(spool) == len(hard) == len(other):
            raise ValueError(f"{path}: {len(spool)} examples, not {len(hard)}")
        return spool

    def copy(self, path: Path) -> None:
        """Write all examples into a file, one JSON object a line."""
        self._file.seek(0)
        with path.open("wb") as stream:
            shutil.copyfileobj(self._file, stream)

    @property
    def hard_counts(self) -> list[int]:
        """How many hard negatives each example has."""
        return self._hard.tolist()

    @property
    def other_counts(self) -> list[int]:
        """How many other negatives each example has."""
        return self._other.tolist()

    def add(self, examples: Iterable[TrainingExample], dropped: Counter[str]) -> range:
        """Keep further examples in the same way; return their rows.

        Raises:
            ResourceError: the disk of the temporary folder is full.
        """
        before, left_out = len(self), Counter[str]()
        self._twins = None
        self._file.seek(self._starts[-1])
        with temporary_space():
            for example in examples:
                usable = usable_part(example, left_out)
                if usable is not None:
                    self._hard.append(len(usable.hard_negatives))
                    self._other.append(len(usable.negatives))
                    self._asked.append(digest(text_key(usable.question.question).encode()))
                    self._taught.append(_scored_kinds(usable))
                    self._starts.append(self._starts[-1] + self._file.write(encode_line(usable.to_json())))
            self._file.flush()
        self.dropped.update(left_out)
        dropped.update(left_out)
        return range(before, len(self))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, row: int) -> TrainingExample:
        start, end = self._starts[row], self._starts[row + 1]
        self._file.seek(start)
        return TrainingExample.from_json(orjson.loads(self._file.read(end - start)), str(row))

    def same_question(self, row: int) -> list[int]:
        """Return the rows with the same question as a row, itself included, by their keys."""
        if self._twins is None:
            asked = np.array(self._asked)
            _, inverse, counts = np.unique(asked, return_inverse=True, return_counts=True)
            # only rows that share a question are kept: most questions are asked once
            self._twins = {}
            for twin in np.flatnonzero(counts[inverse] > 1).tolist():
                self._twins.setdefault(self._asked[twin], []).append(twin)
        return self._twins.get(self._asked[row], [row])

    def right(self, row: int) -> tuple[Passage, ...]:
        """Return the positives of all examples that ask the same as a row."""
        return tuple(one for twin in self.same_question(row) for one in self[twin].positives)

    def negatives(self, row: int, other: int, hard: int) -> int:
        """Return how many negatives a row has when this many are asked for, as in `draw`."""
        others = min(other, self._other[row])
        return others + min(hard, self._hard[row] or self._other[row] - others)

    def is_taught(self, row: int, positives: int, any_positive: bool, other: int, hard: int) -> bool:
        """Return whether a teacher has scored all passages that may be drawn for a row, and there are two.

        Args:
            row: the example.
            positives: how many are drawn.
            any_positive: whether these are drawn from all, and not the first ones.
            other: how many random negatives are asked for.
            hard: how many hard negatives are.
        """
        needed = FIRST_POSITIVE if positives == 1 and not any_positive else ALL_POSITIVES
        if hard and self._hard[row]:
            needed |= ALL_HARD
        if other or (hard and not self._hard[row]):
            needed |= ALL_OTHER
        if self._taught[row] & needed != needed:
            return False
        negatives = self.negatives(row, other, hard)
        return negatives > 0 or (positives > 1 and len(self[row].positives) > 1)

    def draw(
        self,
        rows: Sequence[int],
        other: int,
        hard: int,
        seed: int,
        epoch: int,
        number: int,
        any_positive: bool = False,
    ) -> list[SampledExample]:
        """Return what the rows of a batch bring: first positives, and negatives drawn as DPR draws them.

        With `any_positive` the positive is drawn too.

        `other` are drawn from the random negatives and `hard` from the hard ones; a row without hard ones
        takes further random ones. There may be fewer than asked for. The draw depends on the rows, the
        seed, the epoch and the batch's number in it (both from 0) alone.
        """
        rng = make_rng(seed, epoch, number)
        return [self._pick(row, other, hard, rng, any_positive) for row in rows]

    def first(self, row: int, other: int, hard: int) -> SampledExample:
        """Return a row's first positive and first negatives, for validation."""
        return self._pick(row, other, hard, None)

    def _pick(
        self, row: int, other: int, hard: int, rng: random.Random | None, any_positive: bool = False
    ) -> SampledExample:
        example, twins = self[row], self.same_question(row)
        given = Candidates(example.positives, example.hard_negatives, example.negatives)
        (positive,), negatives = given.draw(other, hard, rng, any_positive)
        right = example.positives if len(twins) == 1 else self.right(row)
        asked = example.question
        return SampledExample(asked.id, asked.question, positive, tuple(negatives), tuple(right))


def _scored_kinds(example: TrainingExample) -> int:
    """Return which kinds of its passages have a teacher score each, as bits."""
    first, *_ = unknown = [math.isnan(teacher_score(one)) for one in example.positives]
    kinds = FIRST_POSITIVE * (not first) | ALL_POSITIVES * (not any(unknown))
    for bit, passages in ((ALL_HARD, example.hard_negatives), (ALL_OTHER, example.negatives)):
        kinds |= bit * (not any(math.isnan(teacher_score(one)) for one in passages))
    return kinds


def teacher_score(passage: Passage) -> float:
    """Return how well a passage answers its question by the teacher, NaN where that is not known."""
    known = passage.teacher_score if isinstance(passage, Context) else None
    return math.nan if known is None else known


def make_rng(seed: int, epoch: int, number: int) -> random.Random:
    """Return the random generator of a batch, given by seed, epoch and number in the epoch (both from 0)."""
    # As in the authors' DPR, which numbers batches from 1. Since these are added up, batch n + 1 of an epoch
    # and batch n of the next one have the same generator; their rows differ.
    return random.Random(seed + epoch + number + 1)


def digest(data: bytes) -> int:
    """Return a 64-bit digest of some bytes."""
    # signed, because it is stored in arrays of int64; `hash` would differ between processes
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little", signed=True)

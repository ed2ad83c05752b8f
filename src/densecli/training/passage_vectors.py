"""Vectors of the passages of training examples that a fixed passage tower gives them, each made once."""

import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densecli.artifacts.vectors import FloatArray
from densecli.batches import batched
from densecli.encoders.torch_base import Retriever
from densecli.files.disk import reserve
from densecli.files.shortages import temporary_space
from densecli.records import Passage, Question
from densecli.text.same_text import text_sketch
from densecli.training.examples import Candidates, ExampleSpool, digest, teacher_score
from densecli.training.forward import vectors_of
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.stored import Stored

PASSAGES_AT_ONCE, ON_CPU = 4096, 64
"""Of one process. A larger encoder needs ten seconds for 64 on two cores: progress moves that often."""

Numbers = NDArray[np.int64]


class KnownPassage(NamedTuple):
    """A passage of an example.

    Attributes:
        number: the number of the passage.
        teacher_score: how well a teacher finds that it answers, NaN where that is not known.
        sketch: a digest of its text's sketch.
        place: among the passages of all examples.
    """

    number: int
    teacher_score: float
    sketch: int
    place: int


class ExamplePassages:
    """The passages of all examples as numbers; no text of a passage is held in memory.

    A passage of the collection has its row as its number. The others count on from there, those of the same
    title and text once.

    Attributes:
        questions: the question of each example.
        rows: passages of the collection.
        others: passages that it does not have.
    """

    def __init__(self, examples: ExampleSpool, stored: Stored | None) -> None:
        """Number the passages of all examples."""
        self.questions: list[Question] = []
        self._examples = examples
        self.rows = 0 if stored is None else len(stored)
        self._starts = array("q", [0])
        self._numbers, self._teacher, self._sketches = array("q"), array("f"), array("q")
        self._positives, self._hard = array("I"), array("I")
        others: dict[bytes, int] = {}
        for row in range(len(examples)):
            example = examples[row]
            self.questions.append(example.question)
            for passage in example.passages:
                number = None if stored is None else stored.row_of(passage)
                if number is None:
                    number = self.rows + others.setdefault(_digest(passage), len(others))
                self._numbers.append(number)
                self._teacher.append(teacher_score(passage))
                self._sketches.append(digest(text_sketch(passage.text)))
            self._starts.append(len(self._numbers))
            self._positives.append(len(example.positives))
            self._hard.append(len(example.hard_negatives))
        self.others = len(others)

    def candidates(self, row: int) -> Candidates[KnownPassage]:
        """Return the passages of an example."""
        start, end = self._starts[row], self._starts[row + 1]
        columns = (column[start:end] for column in (self._numbers, self._teacher, self._sketches))
        known = list(map(KnownPassage, *columns, range(start, end)))
        hard = self._positives[row]
        other = hard + self._hard[row]
        return Candidates(known[:hard], known[hard:other], known[other:])

    def right(self, row: int, given: Candidates[KnownPassage]) -> Sequence[KnownPassage]:
        """Return the positives of all examples that ask the same as a row, whose passages are `given`."""
        twins = self._examples.same_question(row)
        if len(twins) == 1:
            return given.positives
        return [one for twin in twins for one in self.candidates(twin).positives]

    def text(self, place: int) -> str:
        """Return the text of a passage by its place, read from the examples."""
        row = bisect_right(self._starts, place) - 1
        return self._examples[row].passages[place - self._starts[row]].text

    def texts(self) -> Iterator[tuple[int, Passage]]:
        """Yield the passages that the collection does not have and their numbers, once each and ascending."""
        # numbers were given in the order of the first appearance, so each one appears first right after the
        # last
        following = self.rows
        for row in range(len(self._examples)):
            numbers = self._numbers[self._starts[row] : self._starts[row + 1]]
            if not any(number >= following for number in numbers):
                continue
            for number, passage in zip(numbers, self._examples[row].passages, strict=True):
                if number == following:
                    yield number, passage
                    following += 1


def _digest(passage: Passage) -> bytes:
    # with the length of the title in front: "a b" + "c" and "a" + "b c" are two passages
    title = passage.title.encode()
    return blake2b(b"%d %b%b" % (len(title), title, passage.text.encode()), digest_size=16).digest()


class PassageVectors:
    """The vectors of the numbers that are used: read from the collection, the others encoded once.

    The encoded ones lie in a nameless temporary file. They depend on the examples alone, so a training that
    resumes has the same ones.
    """

    def __init__(
        self,
        passages: ExamplePassages,
        used: Iterable[int],
        retriever: Retriever,
        stored: Stored | None,
        precision: torch.dtype,
        ranks: ProcessGroup = ALONE,
    ) -> None:
        """Prepare for the `used` numbers; `encode` makes the vectors that the collection does not have.

        Raises:
            ResourceError: the disk of the temporary folder is full.
        """
        self._passages = passages
        self._retriever = retriever
        self._stored = stored
        self._rows = passages.rows
        self._precision = precision
        self._ranks = ranks
        self._device = next(retriever.passage.parameters()).device
        # most examples have far more negatives than are ever drawn; only those that are drawn get vectors
        made = np.zeros(passages.others, dtype=bool)
        for number in used:
            if number >= self._rows:
                made[number - self._rows] = True
        self._places = np.cumsum(made) - 1
        self._made = made
        self._encoded = _spool(int(made.sum()), retriever.passage.width)

    @property
    def missing(self) -> int:
        """How many used passages the collection does not have."""
        return len(self._encoded)

    def encode(self) -> Iterator[int]:
        """Encode the used passages that the collection does not have; yield how many are done."""
        tower, tokens = self._retriever.passage.eval(), self._retriever.tokens
        wanted = (one for number, one in self._passages.texts() if self._made[number - self._rows])
        done = 0
        size = ON_CPU if self._device.type == "cpu" else PASSAGES_AT_ONCE
        for block in batched(wanted, size * self._ranks.world):
            own = self._ranks.part(len(block))
            pieces = tokens.passages(block[own.start : own.stop])
            vectors = vectors_of(tower, pieces, tokens.pad, self._precision)
            whole = self._ranks.rows(vectors, own, len(block))
            self._encoded[done : done + len(block)] = whole.cpu().numpy()
            done += len(block)
            yield done

    def text(self, place: int) -> str:
        """Return the text of a passage by its place among those of all examples."""
        return self._passages.text(place)

    def take(self, numbers: Sequence[int]) -> Tensor:
        """Return the vectors (n, d) of some used numbers as pooled, on the retriever's device."""
        wanted = np.asarray(numbers, dtype=np.int64)
        found = np.empty((len(wanted), self._encoded.shape[1]), dtype=np.float32)
        here = wanted < self._rows
        if self._stored is not None:
            found[here] = self._stored.pool(wanted[here], self._retriever.model_config.similarity)
        found[~here] = self._encoded[self._places[wanted[~here] - self._rows]]
        return torch.from_numpy(found).to(self._device)


def _spool(rows: int, width: int) -> FloatArray:
    """Return zeros (rows, width) that lie in a temporary file, whose place on the disk is taken at once.

    Raises:
        ResourceError: there is not enough.
    """
    if not rows:
        return np.zeros((0, width), dtype=np.float32)
    with tempfile.TemporaryFile(prefix="densecli-vectors-") as stream:
        with temporary_space():
            # writing to a map on a full disk kills the process by SIGBUS, so the space is taken before
            reserve(stream.fileno(), rows * width * 4)
        return np.memmap(stream, dtype=np.float32, mode="r+", shape=(rows, width))

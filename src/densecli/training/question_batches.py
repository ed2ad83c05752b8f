"""What trains the question tower alone: batches of questions and known vectors of passages."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import numpy as np
import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.models.tokens import Tokens
from densecli.observer import Observer
from densecli.records import Question
from densecli.training.batches import Batch
from densecli.training.equal_texts import BatchPassage, cached_key, equal_columns
from densecli.training.examples import ExampleSpool, make_rng
from densecli.training.passage_vectors import ExamplePassages, KnownPassage, PassageVectors
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.stored import Stored


@dataclass(frozen=True, slots=True)
class KnownSample:
    """What one question brings to a batch.

    Attributes:
        question: with its answers.
        positives: those that are used.
        negatives: those that were drawn.
        right: all positives of the question, those of other examples with the same question included.
    """

    question: Question
    positives: Sequence[KnownPassage]
    negatives: Sequence[KnownPassage]
    right: Sequence[KnownPassage]

    @property
    def right_numbers(self) -> list[int]:
        """The numbers of all its positives."""
        return [one.number for one in self.right]

    @property
    def brought(self) -> list[KnownPassage]:
        """Its positives and negatives, in the order of their columns."""
        return [*self.positives, *self.negatives]


class KnownExamples:
    """Examples whose passages have vectors that stay as they are."""

    def __init__(
        self,
        examples: ExampleSpool,
        batches: Iterable[tuple[int, int, Sequence[int]]] | None,
        config: TrainConfig,
        retriever: Retriever,
        stored: Stored | None,
        precision: torch.dtype,
        ranks: ProcessGroup = ALONE,
    ) -> None:
        """Find out which passages the `batches` bring, each given by epoch, number and rows.

        Without `batches` all examples bring their first passages, as in validation.

        Raises:
            ResourceError: the disk of the temporary folder is full.
        """
        self._config = config
        self._passages = ExamplePassages(examples, stored)
        if batches is None:
            picks = chain.from_iterable(self.first([row]) for row in range(len(examples)))
        else:
            picks = chain.from_iterable(self.draw(*batch) for batch in batches)
        used = (one.number for pick in picks for one in chain(pick.positives, pick.negatives))
        # the draws of the whole training are made in advance only where passages must be encoded
        everything = used if self._passages.others else ()
        self.vectors = PassageVectors(self._passages, everything, retriever, stored, precision, ranks)

    def draw(self, epoch: int, number: int, rows: Sequence[int]) -> list[KnownSample]:
        """Return what the rows of a batch bring, drawn as `ExampleSpool.draw` draws."""
        rng = make_rng(self._config.seed, epoch, number)
        return [self._pick(row, rng) for row in rows]

    def first(self, rows: Sequence[int]) -> list[KnownSample]:
        """Return the rows' first positive each, and their first negatives, for validation."""
        return [self._pick(row, None) for row in rows]

    def _pick(self, row: int, rng: random.Random | None) -> KnownSample:
        config = self._config
        wanted = config.other_negatives, config.hard_negatives
        most = 1 if rng is None else config.max_positives
        given = self._passages.candidates(row)
        drawn = given.draw(*wanted, rng, config.shuffle_positives, most)
        return KnownSample(self._passages.questions[row], *drawn, self._passages.right(row, given))

    def lay_out(self, picks: Sequence[KnownSample], tokens: Tokens, own: range | None = None) -> Batch:
        """Return the batch of `picks`, or the part of it with the rows `own`, with all passages' vectors."""
        passages = [passage for pick in picks for passage in pick.brought]
        starts = tuple(accumulate((len(pick.brought) for pick in picks), initial=0))[:-1]
        own = range(len(picks)) if own is None else own
        rights = [[_TextOf(one, self._passages) for one in pick.right] for pick in picks]
        columns = [_TextOf(one, self._passages) for one in passages]

        def positives(row: int) -> range:
            return range(starts[row], starts[row] + len(picks[row].positives))

        return Batch(
            tuple(pick.question.id for pick in picks),
            tokens.questions([pick.question.question for pick in picks[own.start : own.stop]]),
            [],
            starts,
            own.start,
            columns=len(passages),
            vectors=self.vectors.take([one.number for one in passages]),
            teacher=tuple(one.teacher_score for one in passages),
            equal=equal_columns(rights, columns, positives),
        )

    def lay_out_several(
        self, picks: Sequence[KnownSample], tokens: Tokens, own: range | None = None
    ) -> Batch:
        """Return the same batch where questions may have several positives.

        Another question's passage is not compared with a question whose positive it is, and with no
        question twice. Beside negatives from the whole index, rows of the collection are not compared at all
        unless they are positives.
        """
        batch = self.lay_out(picks, tokens, own)
        numbers = np.array(numbers_of(picks), dtype=np.int64)
        wanted = np.ones(len(numbers), dtype=bool)
        if self._config.in_batch:
            wanted[:] = False
            # the first column of each passage; in the others it would count twice as a negative
            wanted[np.unique(numbers, return_index=True)[1]] = True
        if self._config.index_negatives == "all":
            # `IndexNegatives` counts them already, among all passages of the collection
            wanted &= numbers >= self._passages.rows
        matches = np.zeros((len(picks), len(numbers)), dtype=bool)
        compared = np.zeros_like(matches)
        for row, (start, pick) in enumerate(zip(batch.positives, picks, strict=True)):
            middle = start + len(pick.positives)
            end = middle + len(pick.negatives)
            if self._config.in_batch:
                compared[row] = wanted & ~np.isin(numbers, pick.right_numbers)
            else:
                compared[row, middle:end] = wanted[middle:end]
            matches[row, start:middle] = True
        return replace(
            batch, matches=torch.from_numpy(matches), compared=torch.from_numpy(compared | matches)
        )

    def encode(self, observer: Observer) -> None:
        """Encode the passages that the collection does not have."""
        missing = self.vectors.missing
        if missing:
            list(observer.progress(self.vectors.encode(), "embed examples", missing, "passages ", done=int))


class _TextOf:
    """The text of a passage, read from the examples where it must be compared."""

    def __init__(self, passage: KnownPassage, passages: ExamplePassages) -> None:
        self._passage = passage
        self._passages = passages
        self.sketch = passage.sketch

    def equals(self, other: BatchPassage) -> bool:
        assert isinstance(other, _TextOf)
        if self._passage.number == other._passage.number:
            return True
        one, two = (self._passages.text(passage.place) for passage in (self._passage, other._passage))
        return one == two or cached_key(one) == cached_key(two)


def numbers_of(picks: Sequence[KnownSample]) -> list[int]:
    """Return the numbers of a batch's passages, column by column."""
    return [passage.number for pick in picks for passage in pick.brought]

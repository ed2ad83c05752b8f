"""What trains the question tower alone: batches of questions beside vectors of passages that are known."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.tokens import Tokens
from densecli.encoders.torch_base import Retriever
from densecli.observer import Observer
from densecli.records import Question
from densecli.training.batches import Batch
from densecli.training.examples import ExampleSpool, dice_of
from densecli.training.passage_vectors import ExamplePassages, KnownPassage, PassageVectors
from densecli.training.ranks import ALONE, Ranks
from densecli.training.stored import Stored


@dataclass(frozen=True, slots=True)
class KnownPick:
    """What one question brings to a batch: its positives, and the negatives drawn for it."""

    question: Question
    positives: Sequence[KnownPassage]
    negatives: Sequence[KnownPassage]


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
        ranks: Ranks = ALONE,
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
        everything = used if self._passages.others else ()
        self.vectors = PassageVectors(self._passages, everything, retriever, stored, precision, ranks)

    def draw(self, epoch: int, number: int, rows: Sequence[int]) -> list[KnownPick]:
        """Return what the rows of a batch bring, drawn as `ExampleSpool.draw` draws."""
        dice = dice_of(self._config.seed, epoch, number)
        return [self._pick(row, dice) for row in rows]

    def first(self, rows: Sequence[int]) -> list[KnownPick]:
        """Return the rows' first positives and negatives, for validation."""
        return [self._pick(row, None) for row in rows]

    def _pick(self, row: int, dice: random.Random | None) -> KnownPick:
        config = self._config
        wanted = config.other_negatives, config.hard_negatives
        given = self._passages.candidates(row)
        return KnownPick(self._passages.questions[row], *given.draw(*wanted, dice, config.shuffle_positives))

    def lay_out(self, picks: Sequence[KnownPick], tokens: Tokens, own: range | None = None) -> Batch:
        """Return the batch of `picks`, or the part of it with the rows `own`, with all passages' vectors."""
        passages: list[KnownPassage] = []
        positives: list[int] = []
        for pick in picks:
            positives.append(len(passages))
            passages += [*pick.positives, *pick.negatives]
        own = range(len(picks)) if own is None else own
        return Batch(
            tuple(pick.question.id for pick in picks),
            tokens.questions([pick.question.question for pick in picks[own.start : own.stop]]),
            [],
            tuple(positives),
            own.start,
            columns=len(passages),
            vectors=self.vectors.take([one.number for one in passages]),
            teacher=tuple(one.teacher_score for one in passages),
        )

    def encode(self, observer: Observer) -> None:
        """Encode the passages that the collection does not have."""
        missing = self.vectors.missing
        if missing:
            list(observer.progress(self.vectors.encode(), "embed examples", missing, "passages ", done=int))

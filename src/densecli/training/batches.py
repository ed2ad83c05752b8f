"""The layout of a batch: whose passages stand in which column of the score matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from densecli.models.tokens import Tokens
from densecli.records import Passage
from densecli.training.examples import SampledExample, teacher_score


@dataclass(frozen=True, slots=True)
class Batch:
    """B questions and M passages as word-piece ids, or the part of them that one of several processes has.

    The passages stand in batch order, each question's positive before its negatives; `positives`
    (B,) are the positives' columns. Every other column may be a negative, other questions' included
    (paper, section 3.2).

    Attributes:
        ids: of all B questions.
        questions: its own.
        passages: those of its own questions.
        row: the first of its own questions.
        column: the first of its own passages.
        columns: M, where it has a part of them.
        vectors: (M, d) of all M passages as pooled, where they are known; `passages` is empty then.
        teacher: the teacher's score of each of the M passages, NaN where it has none.
        matches: (B, M) true in the columns of each question's positives, where it may have several.
        compared: (B, M) true in the columns that count for a question, where `matches` are told.
    """

    ids: tuple[str, ...]
    questions: list[list[int]]
    passages: list[list[int]]
    positives: tuple[int, ...]
    row: int = 0
    column: int = 0
    columns: int | None = None
    vectors: Tensor | None = None
    teacher: tuple[float, ...] = ()
    matches: Tensor | None = None
    compared: Tensor | None = None

    @property
    def owners(self) -> list[int]:
        """The row of the question that brought each passage."""
        ends = [*self.positives[1:], self.width]
        return [row for row, (start, end) in enumerate(zip(self.positives, ends, strict=True))
                for _ in range(start, end)]  # fmt: skip

    @property
    def width(self) -> int:
        """M, all passages."""
        return len(self.passages) if self.columns is None else self.columns

    def teaches(self, in_batch: bool) -> bool:
        """Whether any question has a negative, its own or (`in_batch`) another's passage."""
        return self.width > (1 if in_batch else len(self.ids))


def lay_out(picks: Sequence[SampledExample], tokens: Tokens, own: range | None = None) -> Batch:
    """Return the batch of `picks`, or the part of it with the rows `own`.

    Questions may have different numbers of negatives.
    """
    passages: list[Passage] = []
    positives: list[int] = []
    for pick in picks:
        positives.append(len(passages))
        passages += [pick.positive, *pick.negatives]
    own = range(len(picks)) if own is None else own
    first, last = ([*positives, len(passages)][row] for row in (own.start, own.stop))
    return Batch(
        tuple(pick.id for pick in picks),
        tokens.questions([pick.question for pick in picks[own.start : own.stop]]),
        tokens.passages(passages[first:last]),
        tuple(positives),
        own.start,
        first,
        len(passages),
        teacher=tuple(map(teacher_score, passages)),
    )

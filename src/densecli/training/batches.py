"""The layout of a batch: whose passages are in which column of the score matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from densecli.models.tokens import Tokens
from densecli.records import Passage
from densecli.text.same_text import text_sketch
from densecli.training.equal_texts import BatchPassage, cached_key, equal_columns
from densecli.training.examples import SampledExample, teacher_score


@dataclass(frozen=True, slots=True)
class Batch:
    """B questions and M passages as word-piece ids, or the part of them that one of several processes has.

    The passages are in batch order, each question's positive before its negatives; `positives`
    (B,) are the positives' columns. Every other column may be a negative, other questions' included
    (paper, section 3.2), unless its text equals a positive of the question.

    Attributes:
        ids: the ids of all B questions.
        questions: the questions that this process encodes.
        passages: the passages of those questions.
        row: the row of the first question that this process encodes.
        column: the column of the first passage that this process encodes.
        columns: M, where `passages` are only a part of them.
        vectors: (M, d) vectors of all M passages as pooled, where they are known; `passages` is empty then.
        teacher: the teacher's score of each of the M passages, NaN where it has none.
        matches: (B, M) true in the columns of each question's positives, where it may have several.
        compared: (B, M) true in the columns that count for a question, where `matches` are given.
        equal: (B, M) true in the columns that equal a positive of a question and are not its own positives;
            None without any.
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
    equal: Tensor | None = None

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

    def pairs_left_out(self, in_batch: bool) -> int:
        """Return how many passages would be negatives if they did not equal a positive of the question."""
        if self.equal is None:
            return 0
        if in_batch:
            return int(self.equal.sum())
        rows = torch.arange(len(self.ids))[:, None]
        # without in-batch negatives only the passages that a question brought itself were candidates
        return int((self.equal & (torch.tensor(self.owners) == rows)).sum())


def lay_out(picks: Sequence[SampledExample], tokens: Tokens, own: range | None = None) -> Batch:
    """Return the batch of `picks`, or the part of it with the rows `own`.

    Questions may have different numbers of negatives.
    """
    passages: list[Passage] = []
    positives: list[int] = []
    for pick in picks:
        # a running offset and not row * (1 + negatives), since a question may have fewer negatives than asked
        # for
        positives.append(len(passages))
        passages += [pick.positive, *pick.negatives]
    # a passage can also equal a positive of the same question in another example of the training set
    rights = [[_TextOf(one) for one in (pick.positive, *pick.right)] for pick in picks]
    columns = [_TextOf(passage) for passage in passages]
    own = range(len(picks)) if own is None else own
    # every process lays out the whole score matrix, but tokenizes only the passages that it encodes
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
        equal=equal_columns(rights, columns, lambda row: range(positives[row], positives[row] + 1)),
    )


class _TextOf:
    """The text of a passage, to be compared."""

    def __init__(self, passage: Passage) -> None:
        self._text = passage.text
        self.sketch = text_sketch(passage.text)

    def equals(self, other: BatchPassage) -> bool:
        assert isinstance(other, _TextOf)
        # the key is slow; most passages of the same sketch are the same string anyway
        return self._text == other._text or cached_key(self._text) == cached_key(other._text)

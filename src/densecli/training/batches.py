"""The layout of a batch: whose passages stand in which column of the score matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

from densecli.encoders.tokens import Tokens
from densecli.records import Passage
from densecli.training.examples import Pick


@dataclass(frozen=True, slots=True)
class Batch:
    """B questions and M passages as word-piece ids.

    The passages stand in batch order, each question's positive before its negatives; `positives`
    (B,) are the positives' columns. Every other column is a negative, other questions' included
    (paper, section 3.2).
    """

    ids: tuple[str, ...]
    questions: list[list[int]]
    passages: list[list[int]]
    positives: tuple[int, ...]


def lay_out(picks: Sequence[Pick], tokens: Tokens) -> Batch:
    """Return the batch of `picks`; questions may have different numbers of negatives."""
    passages: list[Passage] = []
    positives: list[int] = []
    for pick in picks:
        positives.append(len(passages))
        passages += [pick.positive, *pick.negatives]
    return Batch(
        tuple(pick.id for pick in picks),
        tokens.questions([pick.question for pick in picks]),
        tokens.passages(passages),
        tuple(positives),
    )

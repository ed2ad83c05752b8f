"""Which span of the passages that were read is the answer (paper, section 6.1, and joint selection)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from densecli.reader.decode import (
    PieceSpan,
    ReadPassage,
    answers,
    best_spans,
    in_characters,
    relevance_logs,
    span_log,
)
from densecli.records import Span
from densecli.text.normalize import normalize_answer

SPANS = 5
"""Best spans of each passage that joint selection compares."""
FloatArray = NDArray[np.float64]
Spell = Callable[[ReadPassage, PieceSpan], str]


@dataclass(frozen=True, slots=True)
class Selection:
    """How one answer is chosen among the spans of a question's passages.

    `passage` is the paper's rule: the best span of the most relevant passage. `joint` adds up, for each of
    the best spans of all passages,

        span · log P_span + passage · log P_passage + retrieval · z

    where z is the retrieval score, standardized over the question's passages. Spans with equal answers (after
    SQuAD's normalization) are one answer, and their exponentials are summed.

    Attributes:
        rule: `passage` or `joint`.
        span: weight of the span's log probability.
        passage: weight of the log probability that the passage is the one to read.
        retrieval: weight of the standardized retrieval score.
        min_score: answers below this score are no answers; None keeps all.
    """

    rule: str = "passage"
    span: float = 1.0
    passage: float = 1.0
    retrieval: float = 0.0
    min_score: float | None = None


PAPER = Selection()


def select_answers(
    read: Sequence[ReadPassage],
    retrieval: Sequence[float],
    selection: Selection,
    max_answer_tokens: int,
    n: int,
    spell: Spell | None = None,
) -> list[Span]:
    """Return at most `n` answers, best first; none if the best one has less than the smallest score.

    Args:
        read: the passages of one question as the reader saw them, in the order of retrieval.
        retrieval: their retrieval scores.
        selection: the rule.
        max_answer_tokens: length of an answer in word pieces.
        n: how many answers.
        spell: writes the text of a span; by default it is copied from the passage.
    """
    if selection.rule == "joint":
        found = _joint_answers(read, retrieval, selection, max_answer_tokens, n, spell)
    else:
        found = answers(read, max_answer_tokens, n, spell)
    below = selection.min_score is not None and found and (found[0].score or 0.0) < selection.min_score
    return [] if below else found


def _joint_answers(
    read: Sequence[ReadPassage],
    retrieval: Sequence[float],
    selection: Selection,
    max_answer_tokens: int,
    n: int,
    spell: Spell | None,
) -> list[Span]:
    groups: dict[str, list[Span]] = {}
    for one, log_passage, z in zip(read, relevance_logs(read), standardize(retrieval), strict=True):
        best = best_spans(one.start, one.end, one.features.words[:, 0], max_answer_tokens)
        for piece_span in islice(best, SPANS):
            score = (
                selection.span * span_log(one, piece_span)
                + selection.passage * log_passage
                + selection.retrieval * z
            )
            span = replace(in_characters(one, piece_span, spell), score=score)
            groups.setdefault(answer_key(span.text), []).append(span)
    merged = []
    for spans in groups.values():
        # as a logarithm, since the exponentials underflow for large weights
        total = float(np.logaddexp.reduce([span.score or 0.0 for span in spans]))
        merged.append(replace(max(spans, key=lambda span: span.score or 0.0), score=total))
    return sorted(merged, key=lambda span: -(span.score or 0.0))[:n]


def answer_key(text: str) -> str:
    """Return what equal answers share: the normalized text, or if nothing is left of it the text."""
    return normalize_answer(text) or text.casefold()


def standardize(scores: Sequence[float]) -> FloatArray:
    """Return scores with mean 0 and standard deviation 1; zeros where all are equal or one is not finite."""
    values = np.asarray(scores, dtype=np.float64)
    if not len(values) or not np.isfinite(values).all():
        return np.zeros(len(values))
    spread = float(values.std())
    if not (spread > 0 and math.isfinite(spread)):
        return np.zeros(len(values))
    standard: FloatArray = (values - values.mean()) / spread
    return standard

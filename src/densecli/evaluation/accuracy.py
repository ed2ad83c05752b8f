"""Top-k accuracy, exact match and F1 over questions (paper, sections 5.1 and 6.2)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
TOP = (1, 5, 20, 100)
EXACT_MATCH, F1 = "EM", "F1"


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """What one question scored.

    Attributes:
        question_id: the question.
        passages: how many passages were retrieved for it.
        first_hit_rank: rank of the first passage that holds an answer, counted from 1, or None.
        exact: whether the answer read is one of the answers; None where nothing was read.
        f1: how many words it shares with the nearest answer, from 0 to 1; None where nothing was read.
        question: its text.
        judged: whether it can be a hit: it has answers, or its passages say whether they hold one.
        answer_type: how its answers were matched.
    """

    question_id: str
    passages: int
    first_hit_rank: int | None
    exact: bool | None = None
    f1: float | None = None
    question: str = field(default="", compare=False)
    judged: bool = field(default=True, compare=False)
    answer_type: str = field(default="", compare=False)


@dataclass(frozen=True)
class Summary:
    """The means over all questions.

    Attributes:
        questions: how many there are.
        top_k: top-k accuracy by k, in percent.
        exact_match: in percent; None where nothing was read.
        counts: what is worth knowing of the questions and their lists.
        f1: in percent; None where nothing was read.
        measures: measures of qrels by their names in ir-measures, mostly from 0 to 1.
        intervals: 95 % confidence intervals by the name of the measure, in its unit.
    """

    questions: int
    top_k: Mapping[int, float]
    exact_match: float | None
    counts: Counter[str] = field(default_factory=Counter)
    f1: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def values(self) -> dict[str, float]:
        """Return all measures by name: `top-1`, …, `EM`, `F1`, and those of qrels."""
        read = {EXACT_MATCH: self.exact_match, F1: self.f1}
        return {
            **{top_name(k): value for k, value in self.top_k.items()},
            **{name: value for name, value in read.items() if value is not None},
            **self.measures,
        }

    def to_json(self) -> dict[str, Any]:
        """Return `{questions, top_k: {"1": percent}, exact_match, f1, measures, intervals, counts}`.

        Values are rounded to 4 decimals.
        """
        return {
            "questions": self.questions,
            "top_k": {str(k): round(value, 4) for k, value in self.top_k.items()},
            "exact_match": None if self.exact_match is None else round(self.exact_match, 4),
            "f1": None if self.f1 is None else round(self.f1, 4),
            "measures": {name: round(value, 4) for name, value in self.measures.items()},
            "intervals": {
                name: [round(low, 4), round(high, 4)] for name, (low, high) in self.intervals.items()
            },
            "counts": dict(self.counts),
        }


def top_name(k: int) -> str:
    """Return the name of top-k accuracy."""
    return f"top-{k}"


def is_percent(name: str) -> bool:
    """Return whether a measure is given in percent: all but those of qrels."""
    return name.startswith("top-") or name in (EXACT_MATCH, F1)


class QuestionScores:
    """The scores of the questions of one set of results, in order.

    Attributes:
        ids: (n,) of the questions.
        questions: (n,) their texts.
        answer_types: how answers were matched.
        ranks: (n,) rank of the first passage that holds an answer, 0 where there is none.
        lengths: (n,) how many passages there are.
        judged: whether any question has answers; without any there is nothing to measure.
    """

    def __init__(self, scores: Iterable[QuestionScore]) -> None:
        kept = list(scores)
        self.ids = [score.question_id for score in kept]
        self.questions = [score.question for score in kept]
        self.answer_types = {score.answer_type for score in kept if score.answer_type}
        self.ranks = np.array([score.first_hit_rank or 0 for score in kept], dtype=np.int64)
        self.lengths = np.array([score.passages for score in kept], dtype=np.int64)
        self.judged = any(score.judged for score in kept)
        self._read = any(score.exact is not None for score in kept)
        # a question that was not read counts as wrong beside others that were
        self._exact = np.array([score.exact or 0.0 for score in kept], dtype=np.float64)
        self._f1 = np.array([score.f1 or 0.0 for score in kept], dtype=np.float64)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def longest(self) -> int:
        """The number of passages of the longest list."""
        return int(self.lengths.max(initial=0))

    def found_within(self, k: int) -> Values:
        """Return (n,) 1 where one of the first `k` passages holds an answer, else 0."""
        return ((self.ranks > 0) & (self.ranks <= k)).astype(np.float64)

    def values(self, ks: Sequence[int]) -> dict[str, Values]:
        """Return (n,) values from 0 to 1 for each measure: `top-k` up to the longest list, `EM` and `F1`.

        There is none where no question has answers.
        """
        if not self.judged:
            return {}
        top = {top_name(k): self.found_within(k) for k in ks if k <= self.longest}
        return {**top, EXACT_MATCH: self._exact, F1: self._f1} if self._read else top

    def accuracies(self) -> list[float]:
        """Return top-k accuracy in percent for k = 1, 2, … up to the longest list, where it is known."""
        if not self.judged:
            return []
        hits = np.bincount(self.ranks, minlength=self.longest + 1)[1 : self.longest + 1]
        return [100 * count / len(self) for count in np.cumsum(hits).tolist()]


def summarize(scores: Iterable[QuestionScore] | QuestionScores, ks: Sequence[int] = TOP) -> Summary:
    """Average the scores of questions; one without a hit, or without answers, is a miss.

    A k beyond the longest list is left out, since nobody asked for that many passages; `counts` then holds
    the number of lists that are shorter, as `lists_shorter_than_<k>`. Within the longest list a shorter one
    counts as it is: the search found no more.
    """
    kept = scores if isinstance(scores, QuestionScores) else QuestionScores(scores)
    means = {name: 100 * float(values.mean()) for name, values in kept.values(ks).items()}
    shorter = {
        f"lists_shorter_than_{k}": int((kept.lengths < k).sum()) for k in ks if k > kept.longest and len(kept)
    }
    return Summary(
        questions=len(kept),
        top_k={k: means[top_name(k)] for k in ks if top_name(k) in means},
        exact_match=means.get(EXACT_MATCH),
        counts=Counter(shorter),
        f1=means.get(F1),
    )

"""Top-k accuracy and exact match over questions (paper, sections 5.1 and 6.2)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

TOP = (1, 5, 20, 100)


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """What one question scored.

    Attributes:
        question_id: the question.
        passages: how many passages were retrieved for it.
        first_hit_rank: rank of the first passage that holds an answer, counted from 1, or None.
        exact: whether the answer read is one of the answers; None where nothing was read.
    """

    question_id: str
    passages: int
    first_hit_rank: int | None
    exact: bool | None = None


@dataclass(frozen=True)
class Summary:
    """The means over all questions, in per cent."""

    questions: int
    top_k: dict[int, float]
    exact_match: float | None
    counts: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return `{questions, top_k: {"1": per cent}, exact_match, counts}`, rounded to 4 decimals."""
        return {
            "questions": self.questions,
            "top_k": {str(k): round(value, 4) for k, value in self.top_k.items()},
            "exact_match": None if self.exact_match is None else round(self.exact_match, 4),
            "counts": dict(self.counts),
        }


def summarize(scores: Iterable[QuestionScore], ks: Sequence[int] = TOP) -> Summary:
    """Average the scores of questions; one without a hit, or without answers, is a miss.

    A k beyond the longest list is left out, since nobody asked for that many passages; `counts` then holds
    the number of lists that are shorter, as `lists_shorter_than_<k>`. Within the longest list a shorter one
    counts as it is: the search found no more.
    """
    ranks: Counter[int | None] = Counter()
    lengths: Counter[int] = Counter()
    exact: Counter[bool | None] = Counter()
    for score in scores:
        ranks[score.first_hit_rank] += 1
        lengths[score.passages] += 1
        exact[score.exact] += 1
    total = lengths.total()
    longest = max(lengths, default=0)
    hits = {
        k: sum(count for rank, count in ranks.items() if rank is not None and rank <= k)
        for k in ks
        if k <= longest
    }
    counts = Counter(
        {
            f"lists_shorter_than_{k}": sum(count for length, count in lengths.items() if length < k)
            for k in ks
            if k > longest and total
        }
    )
    read = exact[True] + exact[False]
    return Summary(
        questions=total,
        top_k={k: 100 * count / total for k, count in hits.items()},
        exact_match=100 * exact[True] / total if read else None,
        counts=counts,
    )

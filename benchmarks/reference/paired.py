"""Top-k accuracy of two rankings of the same questions, and whether they differ (exact sign test)."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from densecli.artifacts.passages.store import PassageStore
from densecli.records import Question
from densecli.text.answers import AnswerMatcher

CUTS = (1, 5, 20, 100)


def compared(
    questions: Sequence[Question],
    ours: Iterable[Sequence[int]],
    theirs: Iterable[Sequence[int]],
    store: PassageStore,
) -> dict[str, Any]:
    """Return accuracy of both at each cut, in percent, and the p value of the paired difference."""
    matchers = [AnswerMatcher(question.answers, question.answer_type) for question in questions]
    first, second = (
        [first_answer(matcher, rows, store) for matcher, rows in zip(matchers, ranked, strict=True)]
        for ranked in (ours, theirs)
    )
    return {
        f"top_{k}": {
            "ours": percent(rank < k for rank in first),
            "theirs": percent(rank < k for rank in second),
            "p": round(
                sign_test([(one < k) - (other < k) for one, other in zip(first, second, strict=True)]), 3
            ),
        }
        for k in CUTS
    }


def first_answer(matcher: AnswerMatcher, rows: Iterable[int], store: PassageStore) -> float:
    """Return the rank of the first passage with an answer, counted from 0."""
    found = (rank for rank, row in enumerate(rows) if row >= 0 and matcher.found_in(store[int(row)].text))
    return next(found, math.inf)


def percent(hits: Iterable[bool]) -> float:
    listed = list(hits)
    return round(100 * sum(listed) / len(listed), 2)


def sign_test(differences: Iterable[int]) -> float:
    """Return the probability of so uneven a split, were better and worse equally likely."""
    changed = [difference for difference in differences if difference]
    fewer = min(changed.count(1), changed.count(-1))
    tail = sum(math.comb(len(changed), number) for number in range(fewer + 1))
    return min(1.0, 2 * tail / 2 ** len(changed))

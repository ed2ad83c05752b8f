"""The best passages of a question, found without adding up the scores of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.ranking.order import Rows, Scores

WINDOW = 1 << 19  # rows compared together: few enough for the processor's cache, many for numpy
LOOKUP = 24  # finding a passage in postings takes about as long as adding up this many
TRIAL = (
    6  # seeing whether a term must be added up takes as long as adding up one posting for this many passages
)
GROUPS = 16  # for each of the k best, among which it is most likely the best of its own
ROUNDING = 1e-6  # a float32 sum of n terms is off by less than n times this part of it


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a question and its postings.

    Attributes:
        rows: (n,) passages that hold it, ascending.
        grades: (n,) numbers into `saturation`.
        saturation: the score of each grade for a weight of 1.
        weight: idf, times how often the question has the term.
        most: the highest score that it adds to a passage.
    """

    rows: NDArray[np.int32]
    grades: NDArray[Any]
    saturation: Scores
    weight: np.float32
    most: float

    def scores(self) -> Scores:
        """Return what the term adds to each of its passages."""
        return self.saturation.take(self.grades) * self.weight

    def scores_of(self, rows: NDArray[np.int32]) -> Scores:
        """Return what the term adds to given passages, 0 where it is not in them."""
        places = np.searchsorted(self.rows, rows)
        places[places == len(self.rows)] = 0
        added = self.saturation.take(self.grades.take(places)) * self.weight
        return np.where(self.rows.take(places) == rows, added, np.float32(0))

    def within(self, first: int, end: int) -> "Term":
        """Return the part of its postings from row `first` to before `end`."""
        # of the type of the rows: numpy would copy all of them into another one
        ends = np.minimum((first, end), np.iinfo(np.int32).max).astype(np.int32)
        begin, stop = np.searchsorted(self.rows, ends)
        return replace(self, rows=self.rows[begin:stop], grades=self.grades[begin:stop])


def best(terms: Sequence[Term], k: int, passages: int, totals: Scores) -> tuple[Rows, Scores]:
    """Return rows and scores of the `k` passages that score highest, best first, ties by row.

    Args:
        terms: the terms of a question, by descending `most`; scores are added up in this order.
        k: at least 1.
        passages: the number of passages in the collection.
        totals: (min(passages, WINDOW),) overwritten.
    """
    # window by window, so that the totals stay in the cache; what was found before raises the floor
    rows, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for first in range(0, passages, WINDOW):
        parts = terms
        if passages > WINDOW:
            cut = (term.within(first, first + WINDOW) for term in terms)
            parts = [part for part in cut if len(part.rows)]
        floor = float(scores[-1]) if len(scores) == k else 0.0
        more, their_scores = _best_within(parts, k, first, totals, floor)
        rows, scores = np.concatenate([rows, more]), np.concatenate([scores, their_scores])
        order = np.argsort(-scores, kind="stable")[:k]
        rows, scores = rows[order], scores[order]
    return rows, scores


def _best_within(
    terms: Sequence[Term], k: int, first: int, totals: Scores, floor: float
) -> tuple[Rows, Scores]:
    """Return passages of a window, with the `k` best among them, by row.

    Terms that add much come first. Once all that are left together cannot lift a passage without any of the
    first to the `k`-th best score so far, they are looked up only in the passages that they can still lift.

    Args:
        terms: with their postings of the window.
        k: how many are sought.
        first: the first row of the window.
        totals: (rows of the window,) overwritten.
        floor: a score that is of no interest when it is not reached.
    """
    left = np.cumsum([0.0, *(term.most for term in reversed(terms))])[::-1].tolist()
    postings_left = np.cumsum([0, *(len(term.rows) for term in reversed(terms))])[::-1].tolist()
    safe = 1 - ROUNDING * len(terms)
    totals.fill(0)
    for place, term in enumerate(terms):
        # cheap test first: what is left must be less than what the terms so far can have given
        rest_is_small = left[place] < max(floor, left[0] - left[place])
        if rest_is_small and TRIAL * len(term.rows) > len(totals):
            # a passage below this cannot come to the k-th best score by all terms that are left
            reach = safe * max(floor, _kth_of_groups(totals, k)) - left[place]
            if reach > 0:
                reached = totals >= reach
                if LOOKUP * np.count_nonzero(reached) < postings_left[place]:
                    break
        rows = np.subtract(term.rows, first, dtype=np.int64)
        np.add.at(totals, rows, term.scores())
    else:
        place = len(terms)
        reach = safe * max(floor, _kth_of_groups(totals, k))
        reached = totals >= reach if reach > 0 else totals > 0
    found = np.flatnonzero(reached)
    scores = totals.take(found)
    rows = found + first
    for later, term in enumerate(terms[place:], place + 1):
        scores += term.scores_of(rows.astype(np.int32))
        if len(scores) > k:
            kept = np.flatnonzero(scores >= safe * max(floor, _kth_best(scores, k)) - left[later])
            rows, scores = rows[kept], scores[kept]
    return rows, scores


def _kth_of_groups(totals: Scores, k: int) -> float:
    """Return a score that at least `k` passages reach, at most the `k`-th best and mostly close to it."""
    size = max(1, len(totals) // (GROUPS * k))
    width = len(totals) // size
    if width < k:
        return 0.0
    # Passages of a group are far apart, because neighbors tend to score alike.
    return _kth_best(totals[: size * width].reshape(size, width).max(axis=0), k)


def _kth_best(scores: Scores, k: int) -> float:
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])

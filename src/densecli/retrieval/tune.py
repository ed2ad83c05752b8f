"""The weight λ of BM25 + λ·sim with which most questions find an answer, over all λ > 0 and not a grid.

As λ grows, two passages of a question change places once at most: where their fused scores cross. So whether
a question has an answer in its first k passages changes at a few known λ, and between neighbors of those,
over all questions, every top-k accuracy is constant. A peak may come from a few questions, so λ is judged by
the mean over all weights from λ / 2 to 2 λ, evenly by their logarithm; it is highest at the half or
at the double of one of the known λ.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.passages.store import PassageStore
from densecli.batches import batched
from densecli.ranking.order import Rows, Scores
from densecli.records import Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.text.answers import AnswerMatcher

# A λ is judged by all three, so that it does not serve a single k.
KS = (1, 5, 20)
Spans = list[tuple[float, float]]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BestWeight:
    """The result of a sweep.

    Attributes:
        weight: λ, rounded to three digits.
        questions: how many had answers.
        top_k: top-k accuracy in percent with that λ (`hybrid`), and of each side alone (`bm25`, `dense`).
    """

    weight: float
    questions: int
    top_k: dict[str, dict[int, float]]

    def to_json(self) -> dict[str, Any]:
        """Return `{weight, questions, top_k: {"bm25", "dense", "hybrid": {"1": percent}}}`."""
        top_k = {
            name: {str(k): round(value, 4) for k, value in values.items()}
            for name, values in self.top_k.items()
        }
        return {"weight": self.weight, "questions": self.questions, "top_k": top_k}


def contenders(rows: Rows, words: Scores, dense: Scores, k: int = max(KS)) -> Rows:
    """Return the places of the passages that are among the best `k` of one question for some λ > 0.

    Those are all that are not behind `k` others on both sides.

    Args:
        rows: (m,) passages; -1 means none.
        words: (m,) BM25 scores.
        dense: (m,) inner products.
        k: how many are best.
    """
    kept = []
    best: list[float] = []  # the k highest inner products so far, lowest first
    for place in np.lexsort((rows, -dense, -words)).tolist():
        if rows[place] < 0:
            continue
        value = float(dense[place])
        if len(best) < k:
            heapq.heappush(best, value)
        elif value > best[0]:
            heapq.heapreplace(best, value)
        else:
            continue
        kept.append(place)
    return np.array(kept, dtype=np.int64)


class WeightSweep:
    """Gathers, question by question, the λ with which each finds an answer."""

    def __init__(self) -> None:
        self.questions = 0
        self._bounds: dict[int, tuple[list[float], list[float]]] = {k: ([], []) for k in KS}
        self._alone = {"bm25": dict.fromkeys(KS, 0), "dense": dict.fromkeys(KS, 0)}

    def add(self, rows: Rows, words: Scores, dense: Scores, holds: Sequence[bool]) -> None:
        """Take in one question.

        Args:
            rows: (m,) its contenders, at least those for the largest k.
            words: (m,) their BM25 scores.
            dense: (m,) their inner products.
            holds: (m,) whether each holds an answer.
        """
        self.questions += 1
        # BM25 alone would not have found a passage that shares no word with the question
        found = np.flatnonzero(words > 0)
        sides = {"bm25": found[np.lexsort((rows[found], -words[found]))], "dense": np.lexsort((rows, -dense))}
        for side, order in sides.items():
            first = next((rank for rank, place in enumerate(order.tolist()) if holds[place]), max(KS))
            for k in KS:
                self._alone[side][k] += first < k
        spans: dict[int, Spans] = {k: [] for k in KS}
        for place in np.flatnonzero(holds).tolist():
            edges, ahead = _ahead(place, rows, words.astype(np.float64), dense.astype(np.float64))
            for k in KS:
                spans[k] += _runs(edges, ahead < k)
        for k, (starts, ends) in self._bounds.items():
            for start, end in _merge_spans(spans[k]):
                starts.append(start)
                ends.append(end)

    def best(self) -> BestWeight:
        """Return the λ with the highest mean of top-1, top-5 and top-20 accuracy from λ / 2 to 2 λ; where a
        stretch of them has it, the middle of the longest. Where no λ changes anything it is 1."""
        bounds = [(np.sort(starts), np.sort(ends)) for starts, ends in self._bounds.values()]
        edges = np.unique(np.concatenate([part for pair in bounds for part in pair]))
        # logarithms, because λ is a factor: half and double are equally far
        edges = np.log2(edges[(edges > 0) & np.isfinite(edges)])
        edges = edges if len(edges) else np.zeros(1)
        between = np.concatenate([edges[:1] - 1, (edges[:-1] + edges[1:]) / 2, edges[-1:] + 1])
        middle = _best_octaves(edges, np.sum([_hits(pair, between) for pair in bounds], axis=0))
        weight = float(f"{2**middle:.3g}")
        both = {k: int(_hits(pair, np.log2(weight))) for k, pair in zip(KS, bounds, strict=True)}
        top_k = {
            name: {k: 100 * count / max(1, self.questions) for k, count in hits.items()}
            for name, hits in {**self._alone, "hybrid": both}.items()
        }
        return BestWeight(weight, self.questions, top_k)


def _hits(bounds: tuple[Numbers, Numbers], logarithms: Numbers | np.float64) -> NDArray[np.int64]:
    """Return how many of the spans with these starts and ends hold each λ, given by its logarithm."""
    starts, ends = bounds
    return np.searchsorted(starts, 2**logarithms) - np.searchsorted(ends, 2**logarithms)


def _best_octaves(edges: Numbers, values: NDArray[np.int64]) -> float:
    """Return where the mean of a step function, from 1 below to 1 above, is highest.

    Args:
        edges: (n,) where it steps.
        values: (n + 1,) its value before the first edge, between edges, and after the last.
    """
    reach = 3.0  # farther out than any mean looks
    knots = np.concatenate([edges[:1] - reach, edges, edges[-1:] + reach])
    # the mean over a stretch is a difference of areas; between knots the area is linear, so interp is exact
    area = np.concatenate([[0.0], np.cumsum(values * np.diff(knots))])
    centers = np.unique(np.concatenate([edges - 1, edges + 1]))
    means = np.interp(centers + 1, knots, area) - np.interp(centers - 1, knots, area)
    best = np.isclose(means, means.max(), rtol=1e-9)
    first, after = np.flatnonzero(np.diff(best, prepend=False, append=False)).reshape(-1, 2).T
    low, high = centers[first], centers[after - 1]
    longest = np.argmax(high - low)
    return float(low[longest] + high[longest]) / 2


def _ahead(place: int, rows: Rows, words: Numbers, dense: Numbers) -> tuple[Numbers, NDArray[np.int64]]:
    """Return the λ from 0 on at which a passage changes places with another, and how many are ahead of it
    between one such λ and the next."""
    gain, lead = dense - dense[place], words[place] - words  # another is ahead where λ * gain > lead
    # the same inner product: no λ changes their order, which words or rows decide
    level = gain == 0
    crossing = np.divide(lead, gain, out=np.zeros_like(gain), where=~level)
    met = crossing > 0
    first = np.where(
        level, (lead < 0) | ((lead == 0) & (rows < rows[place])), np.where(met, lead < 0, gain > 0)
    )
    order = np.argsort(crossing[met])
    steps = np.sign(gain[met])[order].astype(np.int64)
    edges = np.concatenate([[0.0], crossing[met][order], [np.inf]])
    return edges, first.sum() + np.concatenate([[0], np.cumsum(steps)])


def _runs(edges: Numbers, good: NDArray[np.bool_]) -> Spans:
    """Return the longest spans that consist of good intervals; interval i lies between edges i and i + 1."""
    turns = np.flatnonzero(np.diff(good, prepend=False, append=False))
    return [(float(edges[start]), float(edges[end])) for start, end in turns.reshape(-1, 2)]


def _merge_spans(spans: Spans) -> Iterator[tuple[float, float]]:
    """Yield spans that overlap or touch as one."""
    ordered = iter(sorted(spans))
    start, end = next(ordered, (0.0, 0.0))
    for low, high in ordered:
        if low > end:
            yield start, end
            start = low
        end = max(end, high)
    if end > start:
        yield start, end


def tune(
    questions: Iterable[Question],
    engine: HybridEngine,
    store: PassageStore,
    batch_size: int,
    sweep: WeightSweep,
    counts: Counter[str],
) -> Iterator[Question]:
    """Add each question to `sweep` and yield it. Those without a usable answer are counted and dropped.

    Only passages that some λ ranks among the first 20 are searched for answers.
    """
    for batch in batched(questions, batch_size):
        matchers = [AnswerMatcher(question.answers, question.answer_type) for question in batch]
        both = engine.propose([question.question for question in batch], max(KS))
        scored = zip(batch, matchers, both.rows, both.words, both.dense, strict=True)
        for question, matcher, rows, words, dense in scored:
            counts["questions"] += 1
            counts["without_answer"] += not matcher.usable
            if matcher.usable:
                places = contenders(rows, words, dense)
                passages = store.take(rows[places].tolist())
                holds = [matcher.found_in(passage.text) for passage in passages]
                sweep.add(rows[places], words[places], dense[places], holds)
            matcher.count_problems(counts)
            yield question

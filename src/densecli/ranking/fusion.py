"""Two ranked lists to one: by weighted scores (paper, section 5.1) or by ranks."""

import numpy as np
from numpy.typing import NDArray

from densecli.ranking.order import Rows, Scores

RANK_CONSTANT = 60  # of Cormack, Clarke and Buettcher, 2009
# Of the candidates of both sides, so that the spread does not depend on how many are asked for.
SPREAD_DEPTH = 100
DENSE_SHARE = 1.5


def union(first: Rows, second: Rows) -> Rows:
    """Return the union of two lists (n, k): rows (n, m), each once, ascending, then -1."""
    # sorts behind all rows, while -1 would come first
    none = np.iinfo(np.int64).max
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    both[:, 1:][both[:, 1:] == both[:, :-1]] = -1
    both = np.sort(np.where(both < 0, none, both), axis=1)
    widest = int((both < none).sum(axis=1).max(initial=0))
    return np.where(both == none, -1, both)[:, :widest]


def add_weighted(words: Scores, dense: Scores, weight: float | Scores) -> Scores:
    """Return `words + weight * dense`, the paper's BM25(q, p) + λ·sim(q, p).

    Args:
        words: (n, m) BM25 scores.
        dense: (n, m) inner products.
        weight: λ, or one for each question (n, 1).
    """
    return words + np.asarray(weight, dtype=np.float32) * dense


def spread_weights(rows: Rows, words: Scores, dense: Scores) -> Scores:
    """Return a λ (n, 1) for each question that fits scores of any scale, to use where none was tuned.

    It is 1.5 times the standard deviation of the 100 best BM25 scores over that of the 100 best inner
    products. With a factor of 1 both sides would weigh the same; 1.5 for the dense side was better on
    development questions of several datasets. Where either has no spread, and so orders nothing, it is 1.

    Args:
        rows: (n, m) passages; -1 means none.
        words: (n, m) their BM25 scores.
        dense: (n, m) their inner products.
    """
    above, below = (_spreads(rows, scores) for scores in (words, dense))
    flat = (above == 0) | (below == 0)
    weights = np.where(flat, 1, DENSE_SHARE * above / np.where(flat, 1, below))
    return weights[:, None].astype(np.float32)


def _spreads(rows: Rows, scores: Scores) -> NDArray[np.float64]:
    best = (np.sort(its[there])[-SPREAD_DEPTH:] for its, there in zip(scores, rows >= 0, strict=True))
    return np.array([np.std(one, dtype=np.float64) if len(one) else 0.0 for one in best])


def or_lowest(rows: Rows, found: Rows, scores: Scores) -> Scores:
    """Return the score of each passage in a list, and the list's lowest score for passages that it lacks.

    This is the rule of Pyserini's hybrid searcher.

    Args:
        rows: (n, m) passages to score.
        found: (n, k) the lists; -1 means none.
        scores: (n, k) their scores.
    """
    lowest = np.where(found < 0, np.inf, scores).min(axis=1, initial=np.inf)
    return _look_up(rows, found, scores, np.where(np.isfinite(lowest), lowest, 0))


def reciprocal_ranks(rows: Rows, found: Rows) -> Scores:
    """Return 1 / (60 + rank) of each passage in a list, ranks counted from 1, and 0 where it is not in it.

    Args:
        rows: (n, m) passages to score.
        found: (n, k) the lists, best first; -1 means none.
    """
    values = 1 / (RANK_CONSTANT + np.arange(1, found.shape[1] + 1, dtype=np.float64))
    return _look_up(rows, found, np.broadcast_to(values, found.shape), np.zeros(len(found)))


def _look_up(
    rows: Rows, found: Rows, values: NDArray[np.floating], otherwise: NDArray[np.floating]
) -> Scores:
    result = np.repeat(otherwise[:, None], rows.shape[1], axis=1).astype(np.float32)
    for wanted, there, its_values, out in zip(rows, found, values, result, strict=True):
        _, at, of = np.intersect1d(wanted, there[there >= 0], return_indices=True)
        out[at] = its_values[there >= 0][of]
    return result

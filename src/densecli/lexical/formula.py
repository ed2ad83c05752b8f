"""BM25 (paper, section 4.2) in Lucene's form: idf times a saturating term frequency."""

import numpy as np
from numpy.typing import NDArray

from densecli.ranking.order import Scores


def idf(passages: int, holding: NDArray[np.int64]) -> Scores:
    """Return the weight of a term: ln(1 + (N - n + 0.5) / (n + 0.5)).

    Args:
        passages: N, in the collection.
        holding: (terms,) n, passages that hold each term.
    """
    # ln(1 + ...) keeps the weight of very frequent terms above 0; without the 1 it would be negative
    result: Scores = np.log1p((passages - holding + 0.5) / (holding + 0.5)).astype(np.float32)
    return result


def saturation(pairs: NDArray[np.int64], mean_length: float, k1: float, b: float) -> Scores:
    """Return f / (f + k1 (1 - b + b l / mean)), between 0 and 1.

    Args:
        pairs: (n, 2) f, how often a passage has the term, and l, the terms in that passage.
        mean_length: the mean length of all passages, in terms.
        k1: how slowly the frequency saturates.
        b: weight of the length.
    """
    frequencies, lengths = pairs.T.astype(np.float64)
    # the factor (k1 + 1) is left out, as in Lucene 8 and later: it changes no order
    slowness = k1 * (1 - b + b * lengths / mean_length)
    result: Scores = (frequencies / (frequencies + slowness)).astype(np.float32)
    return result

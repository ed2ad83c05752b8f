"""The order of hits: score first, ties by row."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


def rank_by_score(rows: Rows, scores: Scores) -> tuple[Rows, Scores]:
    """Sort each list of hits by descending score, equal scores by ascending row.

    Args:
        rows: (n, k) passage rows; -1 stands for "no hit" and goes to the end.
        scores: (n, k) scores, higher is better.

    Returns:
        rows (n, k) and scores (n, k), in order.
    """
    missing = rows < 0
    ranks = np.where(missing, -np.inf, scores)
    # lexsort sorts by its last key first; FAISS leaves the order of equal scores open
    order = np.lexsort((rows, -ranks), axis=-1)
    return np.take_along_axis(rows, order, -1), np.take_along_axis(scores, order, -1)

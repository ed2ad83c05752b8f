"""Rows of an HNSW index whose vectors are copies of others, kept out of its graph.

If a vector has more copies than a vertex has neighbors, its neighbors are its copies alone. A search that
comes to one of them never leaves, and does not find the rest of the index. So only one of them is in the
graph. The others have no neighbors, and are added to the results where that one is found.
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.vectors import FloatArray
from densecli.errors import ArtifactError
from densecli.files.npy import map_npy
from densecli.ranking.order import Rows, Scores, rank_by_score

FILE = "copies.npy"
Pairs = NDArray[np.int64]
"""(m, 2): a row that is in the graph, and one that has the same vector and is not; ascending."""


class CopyFinder:
    """Finds rows with one vector as vectors come in."""

    def __init__(self, dimension: int) -> None:
        # two vectors with one digest count as one: it has 64 bits, to which all bits of a vector contribute
        random = np.random.default_rng(0)
        self._factors = random.integers(1, 1 << 63, dimension, dtype=np.uint64, endpoint=True) | np.uint64(1)
        self._digests: list[NDArray[np.uint64]] = []

    def add(self, vectors: FloatArray) -> None:
        """Take further vectors (n, d)."""
        # by their bits: 0.0 and -0.0 then make two vectors, which is harmless, as both stay in the graph
        bits = np.ascontiguousarray(vectors).view(np.uint32).astype(np.uint64)
        mixed = (bits ^ (bits << np.uint64(17))) * self._factors
        self._digests.append((mixed ^ (mixed >> np.uint64(29))).sum(axis=1, dtype=np.uint64))

    def pairs(self, more_than: int) -> Pairs:
        """Return the pairs of each vector that more than this many rows have."""
        if not self._digests:
            return np.empty((0, 2), dtype=np.int64)
        _, first, which, counts = np.unique(
            np.concatenate(self._digests), return_index=True, return_inverse=True, return_counts=True
        )
        rows = np.flatnonzero(counts[which] > more_than)
        kept = first[which[rows]]
        pairs = np.stack([kept, rows], axis=1)[kept != rows]
        return np.ascontiguousarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], dtype=np.int64)


def add_outside_graph(index: Any, vectors: FloatArray) -> None:
    """Add vectors (n, d) to an HNSW index that no search of its graph finds."""
    graph, count = index.hnsw, len(vectors)
    # FAISS has no call for this, so the arrays of the graph are extended: a vertex of the lowest level whose
    # links are all empty (-1)
    slots = graph.nb_neighbors(0)
    levels, offsets = (faiss.vector_to_array(one) for one in (graph.levels, graph.offsets))
    further = offsets[-1] + slots * np.arange(1, count + 1, dtype=offsets.dtype)
    faiss.copy_array_to_vector(np.concatenate([levels, np.ones(count, levels.dtype)]), graph.levels)
    faiss.copy_array_to_vector(np.concatenate([offsets, further]), graph.offsets)
    before = graph.neighbors.size()
    graph.neighbors.resize(before + slots * count)
    faiss.rev_swig_ptr(graph.neighbors.data(), before + slots * count)[before:] = -1
    index.storage.add(np.ascontiguousarray(vectors))
    index.ntotal = index.storage.ntotal


def write_pairs(pairs: Pairs, folder: Path) -> None:
    """Write the pairs of an index next to it, if there are any."""
    if len(pairs):
        np.save(folder / FILE, pairs)


def read_pairs(folder: Path, rows: int) -> Pairs:
    """Return the pairs of an index of this many rows.

    Raises:
        ArtifactError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return np.empty((0, 2), dtype=np.int64)
    try:
        pairs = map_npy(path, np.int64, 2)
    except ValueError as error:
        raise ArtifactError(f"{path}: not readable ({error}); run `densecli index --force`") from None
    if pairs.shape[1] != 2 or pairs.min(initial=0) < 0 or pairs.max(initial=0) >= rows:
        raise ArtifactError(f"{path}: damaged; run `densecli index --force`")
    return pairs


def with_copies(rows: Rows, scores: Scores, pairs: Pairs, k: int) -> tuple[Rows, Scores]:
    """Return the best k hits (n, k) of a graph's (n, k), with the copies of each vector that was found."""
    for line in np.flatnonzero(np.isin(rows, pairs[:, 0]).any(axis=1)):
        places = [np.searchsorted(pairs[:, 0], rows[line], side=side) for side in ("left", "right")]
        # more than k copies of one vector cannot be among the best k
        copies = [pairs[start:end, 1][:k] for start, end in zip(*places, strict=True)]
        its_rows = np.concatenate([rows[line], *copies])
        # a copy has the same score to the last bit, so ties go to the lower row as in an exact search
        its_scores = np.concatenate([scores[line], np.repeat(scores[line], list(map(len, copies)))])
        best_rows, best_scores = rank_by_score(its_rows[None], its_scores[None])
        rows[line], scores[line] = best_rows[0, :k], best_scores[0, :k]
    return rows, scores

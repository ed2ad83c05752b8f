"""A dense index on disk: built from vector shards, opened memory-mapped, searched in batches."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from densecli.artifacts.kinds import IndexManifest
from densecli.artifacts.manifest import read_manifest
from densecli.artifacts.vectors import FloatArray, VectorStore
from densecli.configs.corpus import IndexConfig
from densecli.dense.copies import (
    CopyFinder,
    Pairs,
    add_outside_graph,
    read_pairs,
    with_copies,
    write_pairs,
)
from densecli.dense.faiss_file import check_index_file
from densecli.errors import ArtifactError
from densecli.ranking.order import Rows, Scores, rank_by_score

FILE = "index.faiss"
BATCH = 8192
NO_PAIRS: Pairs = np.empty((0, 2), dtype=np.int64)
WORTH_MULTIPLYING = 800
"""Components of a batch's questions, for each thread, from which on multiplying matrices is the fastest."""
TOO_LATE = 100_000


def build(vectors: VectorStore, config: IndexConfig, folder: Path) -> Iterator[int]:
    """Build an index over all vectors and write it; yield how many rows are in it, as it grows.

    Raises:
        ArtifactError: a vector is not finite, or a shard does not fit its manifest.
    """
    if config.kind == "flat":
        yield from _write_flat(vectors, config, folder)
        return
    index = new_index(vectors.shape[1], config)
    pairs = _copies(vectors, config.hnsw_neighbors)
    outside, done = np.zeros(len(vectors), dtype=bool), 0
    outside[pairs[:, 1]] = True
    for first, block in _blocks(vectors):
        # in blocks: FAISS copies what it is given, and gives progress only between calls
        index.add(np.ascontiguousarray(block[~outside[first : first + len(block)]]))
        done += len(block)
        yield done
    if len(pairs):
        order = np.concatenate([np.flatnonzero(~outside), np.flatnonzero(outside)])
        add_outside_graph(index, vectors.take(np.flatnonzero(outside)))
        # rows were added in another order than that of the passages; row i must be passage i again
        index.permute_entries(order.argsort())
        write_pairs(pairs, folder)
    # Through Python's own file: faiss's drops what does not fit on the disk when it closes its file.
    with open(folder / FILE, "wb") as stream:
        faiss.write_index(index, faiss.PyCallbackIOWriter(stream.write))  # type: ignore[attr-defined]


def _write_flat(vectors: VectorStore, config: IndexConfig, folder: Path) -> Iterator[int]:
    """Write a flat index file block by block, since FAISS would hold all vectors in memory first."""
    empty = faiss.VectorIOWriter()
    faiss.write_index(new_index(vectors.shape[1], config), empty)
    header = bytearray(faiss.vector_to_array(empty.data))
    # the places that `faiss_file` checks: the number of vectors, and that of their components
    struct.pack_into("<q", header, 8, len(vectors))
    struct.pack_into("<Q", header, len(header) - 8, len(vectors) * vectors.shape[1])
    try:
        with open(folder / FILE, "wb") as stream:
            stream.write(header)
            for first, block in _blocks(vectors):
                stream.write(block.data)
                yield first + len(block)
    except ArtifactError:
        (folder / FILE).unlink()
        raise


def _copies(vectors: VectorStore, neighbors: int) -> Pairs:
    finder = CopyFinder(vectors.shape[1])
    for _, block in _blocks(vectors):
        finder.add(block)
    return finder.pairs(more_than=neighbors)


def _blocks(vectors: VectorStore) -> Iterator[tuple[int, FloatArray]]:
    """Yield first rows and vectors (n, d), in blocks."""
    for first, shard in vectors.shards():
        for start in range(0, len(shard), BATCH):
            block = np.ascontiguousarray(shard[start : start + BATCH])
            if not np.isfinite(block).all():
                row = first + start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
                raise ArtifactError(f"{vectors.folder}: vector {row} is not finite; check the model")
            yield first + start, block


DENSE_KINDS = ("flat", "hnsw")


class DenseIndex:
    """An index opened for searching. `score` is the inner product, higher is better."""

    def __init__(self, folder: Path, manifest: IndexManifest) -> None:
        if manifest.structure not in DENSE_KINDS:
            raise ArtifactError(
                f"{folder}: an index of kind {manifest.structure!r:.40}; this version searches"
                f" {' and '.join(DENSE_KINDS)}"
            )
        self.folder = folder
        self.manifest = manifest
        self._exact = manifest.structure == "flat"
        _multiply_soon()
        path = folder / FILE
        try:
            check_index_file(path)
            # mapped: an index of 21 million passages has more than 60 GB, of which a graph search reads a
            # small part
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
            # HNSW is a graph over a flat index.
            self._vectors: Any = faiss.downcast_index(getattr(self._index, "storage", self._index))
        except (FileNotFoundError, ValueError, RuntimeError) as error:
            reason = str(error).rpartition("Error: ")[2]
            raise ArtifactError(f"{path}: not readable ({reason}); run `densecli index --force`") from None
        self._copies = read_pairs(folder, len(self))

    @classmethod
    def open(cls, folder: Path) -> "DenseIndex":
        """Open the index in `folder`.

        Raises:
            ArtifactError: it is missing, incomplete or damaged.
        """
        return cls(folder, read_manifest(folder, IndexManifest))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def scanned_bytes(self) -> int:
        """Bytes that a search reads; 0 if it reads only a small part."""
        return len(self) * self.dimension * 4 if self._exact else 0

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self._index.d)

    def search(self, questions: FloatArray, k: int) -> tuple[Rows, Scores]:
        """Return the rows (n, k) and inner products (n, k) of the best passages.

        Args:
            questions: (n, d) question vectors.
            k: passages per question; at most as many as the index holds are returned.

        Raises:
            ArtifactError: the vectors have another dimension than the index, or a score is not finite.
        """
        rows, scores = self._best(self._fitting(questions), min(k, len(self)))
        self._check_finite(scores[rows >= 0])
        return rows, scores

    def score(self, questions: FloatArray, rows: Rows) -> Scores:
        """Return the inner products (n, m) of given passages, from the stored vectors: exact for every kind.

        Args:
            questions: (n, d) question vectors.
            rows: (n, m) passages of each question; -1 means none and gives 0.

        Raises:
            ArtifactError: the vectors have another dimension than the index, it ends before a row, or a score
                is not finite.
        """
        vectors, asked = self._fitting(questions), np.ascontiguousarray(rows, dtype=np.int64)
        if asked.max(initial=-1) >= len(self):  # faiss would read past the end
            raise ArtifactError(f"{self.folder}: has {len(self)} vectors, none of passage {asked.max()}")
        scores = np.zeros(asked.shape, dtype=np.float32)
        if asked.size:
            given, filled, which = (faiss.swig_ptr(array) for array in (vectors, scores, asked))
            self._vectors.compute_distance_subset(len(vectors), given, asked.shape[1], filled, which)
            scores[asked < 0] = 0
            self._check_finite(scores)
        return scores

    def _check_finite(self, scores: Scores) -> None:
        if not np.isfinite(scores).all():
            raise ArtifactError(
                f"{self.folder / FILE}: damaged, its scores are not finite; run `densecli index --force`"
            )

    def _fitting(self, questions: FloatArray) -> FloatArray:
        if questions.shape[1] != self.dimension:
            raise ArtifactError(
                f"question vectors have {questions.shape[1]} components, the index {self.folder} has "
                f"{self.dimension}; search with the retriever that made it"
            )
        return np.ascontiguousarray(questions, dtype=np.float32)

    def _best(self, vectors: FloatArray, k: int) -> tuple[Rows, Scores]:
        """Search for one more than `k`. Where that one scores like the k-th, an exact search has kept any of
        the rows with that score, so it is asked for twice as many until it has them all. Where a graph does
        not reach this many rows, all vectors are compared."""
        wide = min(k + 1, len(self)) if self._exact else k
        scores, rows = self._index.search(vectors, wide)
        rows, scores = rank_by_score(rows, scores)
        if len(self._copies):
            rows, scores = with_copies(rows, scores, self._copies, wide)
        short = np.flatnonzero(rows.min(axis=1, initial=0) < 0)
        if len(short) and self._vectors is not self._index:
            found = self._vectors.search(np.ascontiguousarray(vectors[short]), wide)
            rows[short], scores[short] = rank_by_score(*reversed(found))
        if k < wide < len(self):
            tied = np.flatnonzero(scores[:, k - 1] == scores[:, k])
            if len(tied):
                more_rows, more_scores = self._best(vectors[tied], 2 * k)
                rows[tied, :k], scores[tied, :k] = more_rows[:, :k], more_scores[:, :k]
        return rows[:, :k], scores[:, :k]


def _multiply_soon() -> None:
    """Have FAISS multiply matrices for a batch of questions that is large enough on this machine.

    Some versions do so only from 128,000 components on, which suits dozens of threads (its issue 5109). On
    two threads, 256 questions over 43,356 vectors took 11 times as long.
    """
    settings = faiss.cvar
    # other versions count questions, or components for each thread, and begin soon enough
    if settings.distance_compute_blas_threshold >= TOO_LATE:
        settings.distance_compute_blas_threshold = min(
            WORTH_MULTIPLYING * faiss.omp_get_max_threads(), TOO_LATE - 1
        )


def new_index(dimension: int, config: IndexConfig) -> faiss.Index:
    """Return an empty index whose scores are inner products (paper, equation 1).

    HNSW is built over the inner product itself, so that both kinds give the same score to the same
    pair; the authors' code turned it into an L2 search with distances as scores.
    """
    if config.kind == "flat":
        return faiss.IndexFlatIP(dimension)
    index = faiss.IndexHNSWFlat(dimension, config.hnsw_neighbors, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = config.hnsw_build_breadth
    index.hnsw.efSearch = config.hnsw_search_breadth
    return index

"""FAISS indexes of other programs: DPR's `index.dpr` and `index_meta.dpr`, Pyserini's `index` and `docid`.

DPR searches its HNSW graphs by L2 distance over vectors with one component more, sqrt(phi - |d|^2) for the
largest squared norm phi, and 0 for a question: the order is that of inner products. Such a graph is taken
over with the plain vectors and inner products as scores, and given back the other way.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.vectors import FloatArray
from densecli.dense.copies import FILE as COPIES
from densecli.dense.embeddings import read_id_list, write_id_list
from densecli.dense.faiss_file import check_index_file
from densecli.dense.index import FILE
from densecli.dense.rows_by_id import PassageRows, check_complete
from densecli.errors import ArtifactError, InputError
from densecli.files.jsonl import read_lines

BATCH = 8192
DPR = ("index.dpr", "index_meta.dpr")
PYSERINI = ("index", "docid")
TAGS = ("index", "flat_index", "hnsw_index")
# Relative; DPR computes the component in float32.
PHI_TOLERANCE = 1e-3
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ForeignIndex:
    """An index file, and the file of its vectors' ids in order.

    `kind` is `flat` or `hnsw`; `augmented` says that the vectors have DPR's component more.
    """

    path: Path
    index: Any
    ids: Path
    kind: str
    augmented: bool

    def __len__(self) -> int:
        return int(self.index.ntotal)

    def vectors(self, positions: IntArray) -> FloatArray:
        """Return the passages' vectors (n, d) at `positions` (n,).

        Raises:
            ArtifactError: a vector is not finite, or DPR's extra component is not that of inner products.
        """
        found: FloatArray = self.index.reconstruct_batch(positions)
        odd = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if len(odd):
            raise ArtifactError(
                f"{self.path}: vector {positions[odd[0]] + 1:,} has a value that is not finite; make the"
                " index again from finite vectors"
            )
        if not self.augmented:
            return found
        # with DPR's extra component all vectors have the same length, sqrt(phi)
        norms = np.square(found, dtype=np.float64).sum(axis=1)
        if not np.allclose(norms, self._phi(), rtol=PHI_TOLERANCE):
            raise ArtifactError(f"{self.path}: searches by L2 distance; inner products can be taken over")
        return np.ascontiguousarray(found[:, :-1])

    def pairs(self) -> Iterator[tuple[str, FloatArray]]:
        """Yield `(id, vector (d,))` in the order of the index.

        Raises:
            ArtifactError: as `vectors`; there are fewer or more ids than vectors.
        """
        block: FloatArray = np.empty((0, 0), np.float32)
        for position, passage_id in enumerate(self._count_ids()):
            if position % BATCH == 0:
                block = self.vectors(np.arange(position, min(position + BATCH, len(self)), dtype=np.int64))
            yield passage_id, block[position % BATCH]

    def positions(self, rows: PassageRows, counts: Counter[str]) -> IntArray:
        """Return for each passage of a store its position in the index, -1 for none.

        Raises:
            ArtifactError: an id comes twice, or there are fewer or more ids than vectors.
        """
        found = np.full(len(rows), -1, dtype=np.int64)
        for position, passage_id in enumerate(self._count_ids()):
            row = rows.of(passage_id)
            if row is None:
                counts["vectors_of_other_passages"] += 1
                continue
            if found[row] >= 0:
                raise ArtifactError(f"{self.path}: id {passage_id!r} has two vectors; its ids are not whole")
            found[row] = position
            counts["vectors"] += 1
        return found

    def _phi(self) -> float:
        return float(np.square(self.index.reconstruct(0), dtype=np.float64).sum())

    def _count_ids(self) -> Iterator[str]:
        count = 0
        for count, passage_id in enumerate(_read_ids(self.ids), 1):
            if count > len(self):
                break
            yield passage_id
        if count != len(self):
            more = "more than" if count > len(self) else f"{count:,} for"
            raise ArtifactError(f"{self.path}: the ids beside it are {more} its {len(self):,} vectors")


def open_foreign_index(path: Path, dimension: int) -> ForeignIndex:
    """Open an index of DPR or Pyserini.

    Args:
        path: a folder, or what comes before `.index.dpr` and `.index_meta.dpr`.
        dimension: components d of the retriever's vectors.

    Raises:
        ArtifactError: it is missing, damaged, of another length, compressed, or searches by L2 distance.
    """
    files = index_files(path)
    if files is None:
        raise ArtifactError(
            f"{path}: no index in it; expected {' and '.join(DPR)}, or {' and '.join(PYSERINI)}"
        )
    place, ids = files
    index = _read(place)
    graph = isinstance(index, faiss.IndexHNSWFlat)
    augmented = index.metric_type == faiss.METRIC_L2 and index.d == dimension + 1
    if index.metric_type != faiss.METRIC_INNER_PRODUCT and not augmented:
        raise ArtifactError(f"{place}: searches by another measure than inner products")
    if index.d != dimension + augmented:
        raise ArtifactError(f"{place}: vectors of {index.d} components; the retriever's have {dimension}")
    if not index.ntotal:
        raise ArtifactError(f"{place}: no vector in it")
    return ForeignIndex(place, index, ids, "hnsw" if graph else "flat", augmented)


def take_over(
    found: ForeignIndex, rows: PassageRows, folder: Path, counts: Counter[str], allow_missing: bool = False
) -> None:
    """Write an index of ours over the passages of a store, whose row i becomes vector i.

    A graph is kept: its vertices are only renumbered.

    Args:
        found: the index from `open_foreign_index`.
        rows: the rows of the passage store.
        folder: an existing folder.
        counts: filled as by `place_vectors`.
        allow_missing: as in `place_vectors`, for a flat index.

    Raises:
        ArtifactError: passages have no vector; a graph has vectors of other passages.
    """
    positions = found.positions(rows, counts)
    check_complete(positions >= 0, rows, counts, allow_missing and found.kind == "flat")
    if found.kind == "hnsw" and len(found) != len(rows):
        raise ArtifactError(
            f"{found.path}: a graph over {len(found):,} vectors, {len(rows):,} of them of these passages;"
            " take its vectors over and build an index of them"
        )
    _write(_to_inner_product(found, positions), folder / FILE)


def write_index(source: Path, ids: Iterable[str], folder: Path, program: str) -> None:
    """Write an index of ours with the ids of its passages for DPR or Pyserini.

    Args:
        source: an index folder.
        ids: the ids of the passages, in order.
        folder: an existing folder.
        program: `dpr` or `pyserini`.

    Raises:
        ArtifactError: the index can't be read, or its graph leaves out copies of vectors.
        InputError: an id has a line end in it, which Pyserini's list cannot say.
    """
    name, ids_name = DPR if program == "dpr" else PYSERINI
    index = _read(source / FILE)
    graph = isinstance(index, faiss.IndexHNSWFlat)
    if (source / COPIES).is_file():
        raise ArtifactError(
            f"{source}: many passages have one vector, and are not in the graph, so {program} would not find"
            " them; build a flat index (`densecli index --kind flat`) and convert that"
        )
    _write(_augment(index) if graph and program == "dpr" else index, folder / name)
    if program == "dpr":
        write_id_list(folder / ids_name, ids)
        return
    with open(folder / ids_name, "w", encoding="utf-8") as stream:
        for passage_id in ids:
            if passage_id.splitlines() != [passage_id]:
                raise InputError(folder, None, f"id {passage_id!r} has a line end in it", "ids of one line")
            stream.write(f"{passage_id}\n")


def index_files(path: Path) -> tuple[Path, Path] | None:
    """Return the index and the list of ids of DPR or Pyserini at `path`, where there are such files.

    Args:
        path: a folder, or what comes before `.index.dpr` and `.index_meta.dpr`.
    """
    named = [(path / DPR[0], path / DPR[1]), (path / PYSERINI[0], path / PYSERINI[1])]
    # DPR names a set of files by a prefix; the published ones are full.index.dpr and full.index_meta.dpr
    for start in (path, path / "full"):
        named += [
            (start.with_name(f"{start.name}.{tag}.dpr"), start.with_name(f"{start.name}.{tag}_meta.dpr"))
            for tag in TAGS
        ]
    return next((pair for pair in named if all(file.is_file() for file in pair)), None)


def _read_ids(path: Path) -> Iterator[str]:
    if path.name != PYSERINI[1]:
        yield from read_id_list(path)
        return
    try:
        for _, line in read_lines(str(path)):
            yield line.decode()
    except InputError as error:
        raise ArtifactError(str(error)) from None
    except UnicodeDecodeError:
        raise ArtifactError(f"{path}: is not UTF-8; expected one passage id a line") from None


def _to_inner_product(found: ForeignIndex, positions: IntArray) -> Any:
    """Return an index over inner products whose vector i is that at `positions[i]`; zeros for -1."""
    dimension = found.index.d - found.augmented

    def blocks(order: IntArray) -> Iterator[FloatArray]:
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            block = found.vectors(np.maximum(part, 0))
            block[part < 0] = 0
            yield block

    if found.kind == "flat":
        return _fill(faiss.IndexFlatIP(dimension), blocks(positions))
    as_stored = np.arange(len(positions), dtype=np.int64)
    made = _graph_over(blocks(as_stored), dimension, found.index.hnsw, faiss.METRIC_INNER_PRODUCT)
    if not np.array_equal(positions, as_stored):
        made.permute_entries(positions)
    return made


def _augment(index: Any) -> Any:
    """Return DPR's form of an HNSW index: squared L2 distances over vectors with a component more."""
    spans = [(start, min(BATCH, index.ntotal - start)) for start in range(0, index.ntotal, BATCH)]

    def norms(block: FloatArray) -> NDArray[np.float64]:
        return np.asarray(np.square(block, dtype=np.float64).sum(axis=1))

    # a first pass over all vectors, because the component of each depends on the largest norm
    phi = max(float(norms(index.reconstruct_n(*span)).max()) for span in spans)

    def blocks() -> Iterator[FloatArray]:
        for span in spans:
            block = index.reconstruct_n(*span)
            # rounding can make the difference of equal numbers negative
            more = np.sqrt(np.maximum(phi - norms(block), 0))
            yield np.column_stack([block, more]).astype(np.float32)

    return _graph_over(blocks(), index.d + 1, index.hnsw, faiss.METRIC_L2)


def _graph_over(blocks: Iterable[FloatArray], dimension: int, graph: Any, metric: int) -> Any:
    """Return an HNSW index with another's graph, over vectors in the same order."""
    made: Any = faiss.IndexHNSWFlat(dimension, graph.nb_neighbors(1), metric)
    _fill(made.storage, blocks)
    # the links stay valid: with the extra component the order of distances is that of inner products
    made.hnsw = graph
    made.hnsw.is_similarity = metric == faiss.METRIC_INNER_PRODUCT
    made.ntotal = made.storage.ntotal
    return made


def _fill(index: Any, blocks: Iterable[FloatArray]) -> Any:
    for block in blocks:
        index.add(np.ascontiguousarray(block))
    return index


def _read(path: Path) -> Any:
    try:
        check_index_file(path, whole=True)
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except (FileNotFoundError, ValueError, RuntimeError, MemoryError) as error:
        reason = str(error).rpartition("Error: ")[2]
        raise ArtifactError(f"{path}: not an index that can be read ({reason})") from None


def _write(index: Any, path: Path) -> None:
    # Through Python's own file, as in `dense`.
    with open(path, "wb") as stream:
        faiss.write_index(index, faiss.PyCallbackIOWriter(stream.write))  # type: ignore[attr-defined]

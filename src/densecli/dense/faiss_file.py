"""Checks an index file before FAISS reads it.

FAISS believes the sizes and the links in a file: with a damaged one it takes memory without an end, searches
forever, or reads memory that is not its own.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

FLAT = {b"IxFI", b"IxF2", b"IxFl"}
GRAPH = b"IHNf"
HEADER = struct.Struct("<iqqqBi")
"""Components, vectors, two numbers without a use, whether it is trained, metric."""
ENTRY = struct.Struct("<iiiii")
"""First vertex, its level, breadth of construction and of search, and a number without a use."""
# Inner product and L2; with others FAISS would expect another number in the header.
METRICS = (0, 1)
LARGEST_DIMENSION = 1 << 20
LARGEST_LEVEL = 64
LARGEST_BREADTH = 1 << 20
WHOLE_BYTES = 1 << 26
"""Links of a graph up to this size are checked one by one each time."""
READ = 1 << 20


@dataclass(frozen=True)
class _Header:
    name: bytes
    dimension: int
    count: int
    metric: int


def check_index_file(path: Path, whole: bool = False) -> None:
    """Check the sizes in a flat or HNSW index file, and the links of its graph.

    Args:
        path: the file.
        whole: check all links of a large graph, too.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or another kind of index.
    """
    size = path.stat().st_size
    with open(path, "rb") as stream:
        header = _read_header(stream)
        if header.name == GRAPH:
            _check_graph(_Arrays(stream, size), header, whole)
            storage = _read_header(stream)
            if storage.name not in FLAT or (storage.dimension, storage.count) != (
                header.dimension,
                header.count,
            ):
                raise ValueError("its graph and its vectors do not belong together")
            header = storage
        elif header.name not in FLAT:
            raise ValueError(
                f"it is of FAISS's kind {header.name.decode('ascii', 'replace')!r}, not flat or HNSW"
            )
        (floats,) = _numbers(stream, struct.Struct("<Q"))
        expected = header.count * header.dimension
        if floats != expected or stream.tell() + 4 * expected != size:
            raise ValueError(f"{size:,} bytes do not hold {header.count:,} vectors of {header.dimension}")


def _numbers(stream: BinaryIO, form: struct.Struct) -> tuple[int, ...]:
    data = stream.read(form.size)
    if len(data) < form.size:
        raise ValueError("cut off")
    return form.unpack(data)


def _read_header(stream: BinaryIO) -> _Header:
    name = stream.read(4)
    dimension, count, _, _, _, metric = _numbers(stream, HEADER)
    if not 0 < dimension <= LARGEST_DIMENSION or count < 0 or metric not in METRICS:
        raise ValueError(f"{count:,} vectors of {dimension:,} components, metric {metric}")
    return _Header(name, dimension, count, metric)


class _Arrays:
    """Arrays in a file, one after the other, each behind its length."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream = stream
        self._size = size

    def next(self, dtype: str) -> NDArray[Any]:
        """Return the next array, mapped.

        Raises:
            ValueError: it is longer than the file.
        """
        (length,) = _numbers(self.stream, struct.Struct("<Q"))
        begin, width = self.stream.tell(), np.dtype(dtype).itemsize
        if begin + length * width > self._size:
            raise ValueError("cut off")
        array = np.memmap(self.stream, dtype, "r", begin, (length,)) if length else np.zeros(0, dtype)
        self.stream.seek(begin + length * width)  # numpy has moved it
        return array


def _check_graph(arrays: _Arrays, header: _Header, whole: bool) -> None:
    """Check that a graph has the sizes that its vectors need, and that no link leads out of it."""
    probabilities, room, levels, offsets, links = (
        arrays.next(dtype) for dtype in ("<f8", "<i4", "<i4", "<i8", "<i4")
    )
    entry, top, *breadths, _ = _numbers(arrays.stream, ENTRY)
    count = header.count
    # FAISS allocates that many candidates for each search
    if not all(0 < one <= LARGEST_BREADTH for one in breadths):
        raise ValueError(f"it is searched with {breadths[1]:,} candidates")
    sizes = len(levels) == count and len(offsets) == count + 1 and 2 <= len(room) <= LARGEST_LEVEL
    if not sizes or len(probabilities) + 1 != len(room) or room[0] or (np.diff(room) < 0).any():
        raise ValueError("the sizes of its graph do not fit its vectors")
    if not count:
        return
    if not (0 <= entry < count and 0 <= top < len(room) - 1) or offsets[0] or offsets[-1] != len(links):
        raise ValueError("its graph begins or ends outside of it")
    # opening a large index must not read all of it; it is checked once, when it is taken over
    if links.nbytes > WHOLE_BYTES and not whole:
        return
    if levels.min() < 1 or levels.max() != top + 1 or levels[entry] != top + 1:
        raise ValueError("a vector of its graph has a level that does not exist")
    if (np.diff(offsets) != room[levels]).any():
        raise ValueError("the vectors of its graph have other room for links than their levels need")
    for first in range(0, len(links), READ):
        part = links[first : first + READ]
        if part.min() < -1 or part.max() >= count:
            raise ValueError("a link of its graph leads out of it")

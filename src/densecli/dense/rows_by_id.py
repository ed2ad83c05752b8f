"""Vectors that come with ids, put at the rows of a passage store."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray, shard_path
from densecli.errors import ArtifactError
from densecli.files.disk import write_at

PREFIX = "wiki:"
"""What DPR puts before the ids of its Wikipedia passages, in some files and not in others."""
SHOWN = 3
# Below the usual limit of 256 to 1024 open files of a process.
OPEN_SHARDS = 64
WIDTH = 4
"""Bytes of a float32."""


class PassageRows:
    """The rows of a passage store by the ids of another program."""

    def __init__(self, store: PassageStore, prefix: str = PREFIX) -> None:
        """Look ids up unchanged, else with `prefix` added or removed."""
        self._store = store
        self._prefix = prefix
        self._next = 0

    def __len__(self) -> int:
        return len(self._store)

    def of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None. Ids in the order of the store are found at once."""
        bare = passage_id.removeprefix(self._prefix)
        # vector files of DPR's first version have bare ids, those of its version 1.0 have the prefix
        names = [passage_id, bare if bare != passage_id else self._prefix + passage_id]
        if self._next < len(self._store) and self._store[self._next].id in names:
            row: int | None = self._next
        else:
            row = next((row for row in map(self._store.row_of, names) if row is not None), None)
        if row is not None:
            self._next = row + 1
        return row

    def missing(self, seen: NDArray[np.bool_]) -> str:
        """Return the ids of the first passages that were not `seen` (n,), for a message."""
        first = np.flatnonzero(~seen)[:SHOWN]
        return ", ".join(self._store[int(row)].id for row in first)


def place_vectors(
    pairs: Iterable[tuple[str, FloatArray]],
    rows: PassageRows,
    folder: Path,
    shard_rows: int,
    counts: Counter[str],
    allow_missing: bool = False,
) -> int:
    """Write vectors as the shards of a vector store; return their length d.

    Args:
        pairs: ids and vectors (d,), in any order, streamed.
        rows: where they belong.
        folder: an existing, empty folder.
        shard_rows: rows of a shard.
        counts: filled with the vectors, those of passages that the store does not have, and the passages
            without a vector.
        allow_missing: give passages without a vector zeros, which score 0, instead of refusing them.

    Raises:
        ArtifactError: an id comes twice, or passages have no vector.
    """
    seen = np.zeros(len(rows), dtype=bool)
    dimension = 0
    with _Shards(folder, len(rows), shard_rows) as shards:
        for passage_id, vector in pairs:
            row = rows.of(passage_id)
            if row is None:
                counts["vectors_of_other_passages"] += 1
                continue
            if seen[row]:
                raise ArtifactError(f"id {passage_id!r} has two vectors; name each file once")
            seen[row] = True
            counts["vectors"] += 1
            dimension = len(vector)
            shards.write(row, vector)
        check_complete(seen, rows, counts, allow_missing)
        for number in range(-(-len(rows) // shard_rows)):
            shards.make(number, dimension)
    return dimension


class _Shards:
    """Shards that are filled in any order, by `write`: through a memory map a full disk would be a SIGBUS."""

    def __init__(self, folder: Path, rows: int, shard_rows: int) -> None:
        self._folder = folder
        self._rows = rows
        self._shard_rows = shard_rows
        self._begins: dict[int, int] = {}
        self._open: dict[int, int] = {}

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def make(self, number: int, dimension: int) -> int:
        """Return the descriptor of a shard, which is made of zeros where it is missing."""
        if number in self._open:
            self._open[number] = self._open.pop(number)  # the last one used
            return self._open[number]
        if len(self._open) == OPEN_SHARDS:
            os.close(self._open.pop(next(iter(self._open))))
        path = shard_path(self._folder, number)
        if number not in self._begins:
            size = min(self._shard_rows, self._rows - number * self._shard_rows)
            with open(path, "xb") as stream:
                kind = np.lib.format.dtype_to_descr(np.dtype(np.float32))
                header = {"descr": kind, "fortran_order": False, "shape": (size, dimension)}
                np.lib.format.write_array_header_1_0(stream, header)
                self._begins[number] = stream.tell()
                # a hole in the file: rows without a vector are zeros, and nothing is written for them
                stream.truncate(stream.tell() + size * dimension * WIDTH)
        self._open[number] = os.open(path, os.O_WRONLY)
        return self._open[number]

    def write(self, row: int, vector: FloatArray) -> None:
        """Write the vector (d,) of a row; all have the same length."""
        number, place = divmod(row, self._shard_rows)
        shard = self.make(number, len(vector))
        data = np.asarray(vector, dtype=np.float32).tobytes()
        write_at(shard, data, self._begins[number] + place * len(data))


def check_complete(
    seen: NDArray[np.bool_], rows: PassageRows, counts: Counter[str], allow_missing: bool
) -> None:
    """Count the passages without a vector.

    Raises:
        ArtifactError: all have none, or some, and that is not allowed.
    """
    absent = int((~seen).sum())
    if absent == len(rows):
        raise ArtifactError(f"no vector is of a passage in the store, whose ids are {rows.missing(seen)} ...")
    if not absent:
        return
    counts["passages_without_vector"] += absent
    if not allow_missing:
        raise ArtifactError(
            f"{absent:,} of {len(rows):,} passages have no vector ({rows.missing(seen)} ...); name the files"
            " of all shards, or a store of the passages that were embedded, or allow it with `allow_missing`"
        )

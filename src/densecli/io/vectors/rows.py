"""Vectors that come with ids, put at the rows of a passage store."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from densecli.errors import ArtifactError
from densecli.io.store.passages import PassageStore
from densecli.io.vectors.shards import FloatArray, shard_path

PREFIX = "wiki:"
"""What DPR puts before the ids of its Wikipedia passages, in some files and not in others."""
SHOWN = 3
OPEN_SHARDS = 64


class PassageRows:
    """The rows of a passage store by the ids of another program."""

    def __init__(self, store: PassageStore, prefix: str = PREFIX) -> None:
        """Look ids up as they stand; else with `prefix` put before them, or taken off."""
        self._store = store
        self._prefix = prefix
        self._next = 0

    def __len__(self) -> int:
        return len(self._store)

    def of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None. Ids in the order of the store are found at once."""
        bare = passage_id.removeprefix(self._prefix)
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

    @lru_cache(maxsize=OPEN_SHARDS)
    def shard(number: int) -> FloatArray:
        path = shard_path(folder, number)
        size = min(shard_rows, len(rows) - number * shard_rows)
        mode: Literal["r+", "w+"] = "r+" if path.exists() else "w+"
        return np.lib.format.open_memmap(path, mode=mode, dtype=np.float32, shape=(size, dimension))

    for passage_id, vector in pairs:
        row = rows.of(passage_id)
        if row is None:
            counts["vectors of other passages"] += 1
            continue
        if seen[row]:
            raise ArtifactError(f"id {passage_id!r} has two vectors; name each file once")
        seen[row] = True
        counts["vectors"] += 1
        dimension = len(vector)
        shard(row // shard_rows)[row % shard_rows] = vector
    check_complete(seen, rows, counts, allow_missing)
    for number in range(-(-len(rows) // shard_rows)):
        shard(number)
    return dimension


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
    counts["passages without a vector"] += absent
    if not allow_missing:
        raise ArtifactError(
            f"{absent:,} of {len(rows):,} passages have no vector ({rows.missing(seen)} ...); name the files"
            " of all shards, or a store of the passages that were embedded, or allow it with --allow-missing"
        )

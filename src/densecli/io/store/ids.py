"""The way back from a passage's id to its row: a sorted table of 64-bit hashes on disk."""

from array import array
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TABLE = "ids.npy"
ENTRY = np.dtype([("hash", "<u8"), ("row", "<i8")])


def hash_id(passage_id: str) -> int:
    """Return a 64-bit hash of an id, the same on every machine."""
    return int.from_bytes(blake2b(passage_id.encode(), digest_size=8).digest(), "little")


class IdTableBuilder:
    """Collects ids in row order: 8 bytes a passage."""

    def __init__(self) -> None:
        self._hashes = array("Q")

    def add(self, passage_id: str) -> None:
        """Take the id of the next row."""
        self._hashes.append(hash_id(passage_id))

    def repeated(self, id_of: Callable[[int], str]) -> NDArray[np.int64]:
        """Return (n, 2) rows in order: each that has the id of one before it, and the first with that id.

        Args:
            id_of: tells the true id of a row, for those whose hashes are the same.
        """
        hashes = np.frombuffer(self._hashes, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=~ordered[:1]) != 0)
        sizes = np.diff(starts, append=len(ordered))
        pairs = array("q")
        for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            seen: dict[str, int] = {}
            for row in order[start : start + size].tolist():
                first = seen.setdefault(id_of(row), row)
                if first != row:
                    pairs.extend((row, first))
        found = np.frombuffer(pairs, dtype=np.int64).reshape(-1, 2)
        return found[np.argsort(found[:, 0])]

    def write(self, folder: Path) -> None:
        """Write the table."""
        hashes = np.frombuffer(self._hashes, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        table = np.empty(len(order), dtype=ENTRY)
        table["hash"], table["row"] = hashes[order], order
        np.save(folder / TABLE, table)


class IdTable:
    """Looks ids up without reading the table into memory."""

    def __init__(self, folder: Path, id_of: Callable[[int], str]) -> None:
        self._table: NDArray[np.void] = np.load(folder / TABLE, mmap_mode="r")
        self._id_of = id_of

    def row_of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None when no passage has it."""
        wanted = np.uint64(hash_id(passage_id))
        place = int(np.searchsorted(self._table["hash"], wanted))
        while place < len(self._table) and self._table["hash"][place] == wanted:
            row = int(self._table["row"][place])
            if self._id_of(row) == passage_id:
                return row
            place += 1
        return None

"""The way back from a passage's id to its row: a sorted table of 64-bit hashes on disk."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

from densecli.files.npy import map_npy

TABLE = "ids.npy"
ENTRY = np.dtype([("hash", "<u8"), ("row", "<i8")])
PART = 1 << 16
"""Rows of the table that are written at a time."""


def digest(passage_id: str) -> bytes:
    """Return an 8-byte digest of an id, the same on every machine."""
    return blake2b(passage_id.encode(), digest_size=8).digest()


def hash_id(passage_id: str) -> int:
    """Return a 64-bit hash of an id."""
    return int.from_bytes(digest(passage_id), "little")


def hash_ids(passage_ids: Iterable[str]) -> NDArray[np.uint64]:
    """Return the hashes of ids, in their order."""
    return np.frombuffer(b"".join(map(digest, passage_ids)), dtype="<u8")


class IdTableBuilder:
    """Collects the hashes of ids in row order: 8 bytes a passage, and at most 21 more at the end."""

    def __init__(self) -> None:
        self._collected = array("Q")

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Take the hashes of the ids of the next rows."""
        self._collected.frombytes(hashes.tobytes())

    @property
    def _hashes(self) -> NDArray[np.uint64]:
        return np.frombuffer(self._collected, dtype=np.uint64)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """The rows by their hashes, from when all are here."""
        # stable, so that equal hashes stay in row order
        return np.argsort(self._hashes, kind="stable")

    def find_repeated(self, id_of: Callable[[int], str]) -> NDArray[np.int64]:
        """Return (n, 2) rows in order: each that has the id of one before it, and the first with that id.

        Args:
            id_of: returns the id of a row, to compare rows whose hashes are the same.
        """
        pairs = array("q")
        for rows in self._alike():
            seen: dict[str, int] = {}
            for row in rows.tolist():
                first = seen.setdefault(id_of(row), row)
                if first != row:
                    pairs.extend((row, first))
        found = np.frombuffer(pairs, dtype=np.int64).reshape(-1, 2)
        return found[np.argsort(found[:, 0])]

    def _alike(self) -> Iterator[NDArray[np.int64]]:
        """Yield the rows of each hash that several have, in order."""
        ordered = self._hashes[self._order]
        places = np.flatnonzero(ordered[1:] == ordered[:-1])
        starts = places[np.diff(places, prepend=-2) > 1]
        ends = places[np.diff(places, append=len(ordered) + 1) > 1] + 2
        for start, end in zip(starts, ends, strict=True):
            yield self._order[start:end]

    def write(self, folder: Path) -> None:
        """Write the table."""
        with open(folder / TABLE, "wb") as stream:
            head = {"descr": dtype_to_descr(ENTRY), "fortran_order": False, "shape": (len(self._order),)}
            write_array_header_1_0(stream, head)
            for start in range(0, len(self._order), PART):
                rows = self._order[start : start + PART]
                part = np.empty(len(rows), dtype=ENTRY)
                part["hash"], part["row"] = self._hashes[rows], rows
                stream.write(part.tobytes())


class IdTable:
    """Looks ids up without reading the table into memory."""

    def __init__(self, folder: Path, id_of: Callable[[int], str], rows: int) -> None:
        """Open the table.

        Args:
            folder: the folder of the store.
            id_of: returns the id of a row.
            rows: their number.

        Raises:
            FileNotFoundError: it is missing.
            ValueError: it is damaged.
        """
        self._table: NDArray[np.void] = map_npy(folder / TABLE, ENTRY, 1)
        self._id_of = id_of
        if len(self._table) != rows:
            raise ValueError(f"has {len(self._table):,} ids of {rows:,} passages")

    def row_of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None when no passage has it.

        Raises:
            ValueError: the table is damaged.
        """
        wanted = np.uint64(hash_id(passage_id))
        place = int(np.searchsorted(self._table["hash"], wanted))
        while place < len(self._table) and self._table["hash"][place] == wanted:
            # two ids can have one hash, so the id itself is compared, too
            row = int(self._table["row"][place])
            if not 0 <= row < len(self._table):
                raise ValueError(f"has row {row:,}")
            if self._id_of(row) == passage_id:
                return row
            place += 1
        return None

"""The passage store: Arrow on disk, memory-mapped; row numbers inside, ids outside."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import orjson
import pyarrow as pa

from densecli.errors import ArtifactError, InputError
from densecli.io.ids import IdTable, IdTableBuilder
from densecli.io.manifest import Manifest
from densecli.records import Passage

FILE = "passages.arrow"
BLOCK = 8192
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "title", "text")])


class PassageStore:
    """Random access to passages by row. Only the rows asked for become Python objects."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        try:
            self._reader = pa.ipc.open_file(pa.memory_map(str(folder / FILE)))
        except PermissionError:
            raise
        except (OSError, pa.ArrowInvalid) as error:
            raise ArtifactError(
                f"{folder / FILE}: not readable ({error}); run `densecli preprocess` again"
            ) from None
        blocks = self._reader.num_record_batches
        self._block = lru_cache(maxsize=None)(self._reader.get_batch)  # maps of the file, no copies
        last = self._block(blocks - 1).num_rows if blocks else 0
        self._rows: int = max(0, blocks - 1) * BLOCK + last

    @classmethod
    def open(cls, folder: Path) -> "PassageStore":
        """Open the store in `folder`.

        Raises:
            ArtifactError: it is missing, incomplete or damaged.
        """
        manifest = Manifest.read(folder, "the passage store", "densecli preprocess")
        return cls(folder, manifest.fingerprint)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: int) -> Passage:
        if not 0 <= row < self._rows:
            raise IndexError(f"row {row} of {self._rows} passages")
        block = self._block(row // BLOCK)
        place = row % BLOCK
        return Passage(*(block.column(name)[place].as_py() for name in range(3)))

    def take(self, rows: Sequence[int]) -> list[Passage]:
        """Return the passages of `rows`, in that order."""
        return [self[int(row)] for row in rows]

    def blocks(
        self, start: int = 0, stop: int | None = None, size: int = BLOCK
    ) -> Iterator[tuple[int, list[Passage]]]:
        """Yield `(first row, passages)` in steps of `size` rows from `start` to before `stop`."""
        end = self._rows if stop is None else min(stop, self._rows)
        for first in range(start, end, size):
            yield first, list(self._span(first, min(first + size, end)))

    def _span(self, first: int, end: int) -> Iterator[Passage]:
        while first < end:
            block = self._block(first // BLOCK)
            place = first % BLOCK
            part = block.slice(place, end - first)
            columns = (part.column(name).to_pylist() for name in range(3))
            yield from map(Passage, *columns)
            first += part.num_rows

    def row_of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None."""
        return IdTable(self.folder, self._id_of).row_of(passage_id)

    def _id_of(self, row: int) -> str:
        return str(self._block(row // BLOCK).column(0)[row % BLOCK].as_py())


def write_passages(folder: Path, passages: Iterable[Passage], source: str) -> tuple[int, str]:
    """Write a passage store (without its manifest) and return `(rows, fingerprint)`.

    Args:
        folder: an existing, empty folder.
        passages: streamed; one block of 8,192 is in memory at a time, and 8 bytes for each id.
        source: named in errors.

    Raises:
        InputError: an id occurs twice, or there is no passage at all.
    """
    total = hashlib.sha256()
    ids = IdTableBuilder()
    rows = 0
    block: list[Passage] = []
    with pa.OSFile(str(folder / FILE), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:

        def flush() -> None:
            columns = [[getattr(p, name) for p in block] for name in SCHEMA.names]
            batch = pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=SCHEMA)
            total.update(orjson.dumps(columns))
            writer.write_batch(batch)
            block.clear()

        for passage in passages:
            ids.add(passage.id)
            block.append(passage)
            rows += 1
            if len(block) == BLOCK:
                flush()
        if block:
            flush()
    if not rows:
        raise InputError(source, None, "no passage in it", "at least one record with text")
    fingerprint = total.hexdigest()
    store = PassageStore(folder, fingerprint)
    duplicate = ids.write(folder, store._id_of)
    if duplicate is not None:
        first, second = duplicate
        raise InputError(
            source,
            None,
            f"id {store[first].id!r} occurs twice (passages {first + 1} and {second + 1})",
            "unique ids",
        )
    return rows, fingerprint

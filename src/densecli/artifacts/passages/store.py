"""The passage store: Arrow on disk, memory-mapped; row numbers inside, ids outside."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from densecli.artifacts.kinds import PassagesManifest
from densecli.artifacts.manifest import read_manifest
from densecli.artifacts.passages.arrow import (
    BLOCK,
    SCHEMA,
    SCHEMA_WITH_OFFSETS,
    TEXTS,
    TextColumn,
    check_block,
)
from densecli.artifacts.passages.batch import make_batch
from densecli.artifacts.passages.ids import TABLE, IdTable
from densecli.artifacts.passages.journal import Progress
from densecli.artifacts.passages.writer import FILE, PassageSink
from densecli.errors import ArtifactError
from densecli.files.bad_records import DUPLICATE, STOP, BadRecords
from densecli.files.shortages import is_shortage
from densecli.records import Passage

TEXT_COLUMNS = len(TEXTS)
SHOWN = 200
"""Letters of a library's message that are passed on."""


class PassageStore:
    """Random access to passages by row. Only the rows asked for become Python objects."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self._block = lru_cache(maxsize=None)(self._load)  # maps of the file, no copies
        self._columns = lru_cache(maxsize=None)(self._open_columns)
        with self._reading(FILE):
            self._reader = pa.ipc.open_file(pa.memory_map(str(folder / FILE)))
            if self._reader.schema not in (SCHEMA, SCHEMA_WITH_OFFSETS):
                raise ValueError(f"columns {', '.join(self._reader.schema.names):.80}")
            blocks = self._reader.num_record_batches
            last = self._reader.get_batch(blocks - 1).num_rows if blocks else 0
        self._rows: int = max(0, blocks - 1) * BLOCK + last

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Turn what libraries raise for a damaged file into an ArtifactError that names it."""
        try:
            yield
        except (OSError, ValueError, MemoryError, OverflowError, pa.ArrowException) as error:
            if is_shortage(error):
                raise
            reason = " ".join(str(error).split())[:SHOWN]
            raise ArtifactError(
                f"{self.folder / name}: not readable ({reason}); run `densecli preprocess` again"
            ) from None

    def _load(self, number: int) -> pa.RecordBatch:
        with self._reading(FILE):
            block = self._reader.get_batch(number)
            check_block(block, min(BLOCK, self._rows - number * BLOCK))
            return block

    def _open_columns(self, number: int) -> tuple[list[TextColumn], pa.Array | None]:
        """Return the texts of a block, and the offsets of its passages where the store has them."""
        columns = self._block(number).columns
        offsets = columns.pop() if len(columns) > TEXT_COLUMNS else None
        return [TextColumn(column) for column in columns], offsets

    @classmethod
    def open(cls, folder: Path) -> "PassageStore":
        """Open the store in `folder`.

        Raises:
            ArtifactError: it is missing, incomplete or damaged.
        """
        return cls(folder, read_manifest(folder, PassagesManifest).fingerprint)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: int) -> Passage:
        return self.take((row,))[0]

    def __iter__(self) -> Iterator[Passage]:
        return chain.from_iterable(passages for _, passages in self.blocks())

    def take(self, rows: Sequence[int]) -> list[Passage]:
        """Return the passages of `rows`, in that order.

        Raises:
            IndexError: there is no such row.
            ArtifactError: the store is damaged.
        """
        with self._reading(FILE):
            return [self._passage_at(int(row)) for row in rows]

    def _passage_at(self, row: int) -> Passage:
        if not 0 <= row < self._rows:
            raise IndexError(f"row {row} of {self._rows} passages")
        number, place = divmod(row, BLOCK)
        texts, offsets = self._columns(number)
        if offsets is None:
            ids, titles, bodies = texts
            return Passage(ids[place], titles[place], bodies[place])
        return _passage(*(column[place] for column in texts), offsets[place].as_py())

    def _id_at(self, row: int) -> str:
        number, place = divmod(row, BLOCK)
        return self._columns(number)[0][0][place]

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
            with self._reading(FILE):
                # to_pylist reads wherever the ends of texts point, so they are checked first
                check_block(part, part.num_rows, whole=True)
            yield from map(_passage, *(column.to_pylist() for column in part.columns))
            first += part.num_rows

    def row_of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None."""
        with self._reading(TABLE):
            return self._ids.row_of(passage_id)

    @cached_property
    def _ids(self) -> IdTable:
        return IdTable(self.folder, self._id_at, len(self))


def _passage(passage_id: str, title: str, text: str, *known: Any) -> Passage:
    if not known:
        return Passage(passage_id, title, text)
    article, offset = known
    return Passage(passage_id, title, text, {"article": article, "offset": offset})


def write_passages(
    folder: Path, passages: Iterable[Passage], source: str, bad: BadRecords = STOP
) -> tuple[int, str]:
    """Write a passage store (without its manifest) and return `(rows, fingerprint)`.

    Args:
        folder: an existing, empty folder.
        passages: streamed; one block of 8,192 is in memory at a time, and 12 bytes for each.
        source: named in errors.
        bad: what a passage with the id of an earlier one does.

    Raises:
        InputError: an id occurs twice, or there is no passage at all.
    """
    sink = PassageSink(folder)
    stream = iter(passages)
    while block := list(islice(stream, BLOCK)):
        columns = [[one.id for one in block], [one.title for one in block], [one.text for one in block]]
        sink.add(make_batch(columns, [None] * len(block)), source, Progress())
    finished = sink.finish(source, unique=bad.skip)
    if finished.left_out:
        bad.note(DUPLICATE, finished.left_out, finished.errors)
    return finished.rows, finished.fingerprint

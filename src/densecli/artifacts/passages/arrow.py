"""The file of a passage store: Arrow, in blocks of 8,192 rows."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

# Rows of each block but the last, so that the block of a row is a division; small enough to be read for one.
BLOCK = 8192
TEXTS = ("id", "title", "text")
SCHEMA = pa.schema([(name, pa.string()) for name in TEXTS])
SCHEMA_WITH_OFFSETS = SCHEMA.append(pa.field("article", pa.string())).append(pa.field("offset", pa.int64()))
MAGIC = 8
"""Bytes of an Arrow file before its blocks, which follow each other as in a stream."""


def schema_of(offsets: bool) -> pa.Schema:
    """Return the columns of a store, with the article and the offset of each passage or without."""
    return SCHEMA_WITH_OFFSETS if offsets else SCHEMA


class BlockWriter:
    """Writes passages in blocks of fixed size, whatever the size of the batches that it is given."""

    def __init__(self, path: Path, offsets: bool, flushed: Callable[[int], None] = lambda _: None) -> None:
        """Begin a file.

        Args:
            path: the file.
            offsets: whether the article and the offset of each passage are kept.
            flushed: called with the number of rows in the file, whenever there are more.
        """
        self.rows = 0
        self._held: list[pa.RecordBatch] = []
        self._waiting = 0
        self._total = hashlib.sha256()
        self._flushed = flushed
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, schema_of(offsets))

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the rows in the file."""
        return self._total.hexdigest()

    def add(self, rows: pa.RecordBatch) -> None:
        """Take passages."""
        self._held.append(rows)
        self._waiting += rows.num_rows
        while self._waiting >= BLOCK:
            self._flush()

    def close(self) -> None:
        """Write the remaining rows, and end the file."""
        if self._waiting:
            self._flush()
        self._writer.close()
        self._sink.close()

    def abandon(self) -> None:
        """Close the file as it is; it has no end, so only `read_unfinished` reads it."""
        self._sink.close()

    def _flush(self) -> None:
        last = self._held.pop()
        wanted = min(last.num_rows, BLOCK - (self._waiting - last.num_rows))
        block = pa.concat_batches([*self._held, last.slice(0, wanted)])
        self._held = [last.slice(wanted)]
        self._waiting -= block.num_rows
        for column in block.columns:
            for part in _content(column):
                self._total.update(part)
        self._writer.write_batch(block)
        self.rows += block.num_rows
        self._flushed(self.rows)


def _content(column: pa.Array) -> Iterator[Any]:
    """Yield the content of a column: its numbers, or the ends of its texts and then their bytes."""
    if not pa.types.is_string(column.type):
        yield column.to_numpy()
        return
    _, ends, data = column.buffers()
    within = np.frombuffer(ends, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    # relative to the first text: a slice must have the digest that the same texts have alone
    yield within - within[0]
    if data is not None:
        yield memoryview(data)[within[0] : within[-1]]


class TextColumn:
    """The texts of a column of a block, read one at a time.

    Arrow does not check where a text ends; in a damaged file it would read other memory.
    """

    def __init__(self, column: pa.StringArray) -> None:
        _, ends, data = column.buffers()
        self._ends = memoryview(ends)[4 * column.offset :][: 4 * (len(column) + 1)].cast("i")
        self._data = memoryview(b"" if data is None else data)
        self._size = len(self._data)

    def __getitem__(self, place: int) -> str:
        """Return a text.

        Raises:
            ValueError: the file is damaged.
        """
        begin, end = self._ends[place], self._ends[place + 1]
        if not 0 <= begin <= end <= self._size:
            raise ValueError("a text ends outside of its block")
        return str(self._data[begin:end], "utf-8")


def check_block(block: pa.RecordBatch, rows: int, whole: bool = False) -> None:
    """Check a block of a file.

    Args:
        block: the block.
        rows: how many it must have.
        whole: check every text, too.

    Raises:
        pyarrow.ArrowInvalid: it is damaged.
    """
    block.validate(full=whole)
    if block.num_rows != rows or any(column.null_count for column in block.columns):
        raise pa.ArrowInvalid(f"a block has {block.num_rows} rows, or some without text; {rows} are needed")


def read_unfinished(path: Path, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the first `rows` rows of a file that was not ended, block by block.

    Raises:
        pyarrow.ArrowInvalid: it has fewer.
    """
    with pa.OSFile(str(path), "rb") as source:
        # the blocks of an Arrow file are those of a stream; only its end has the table that `open_file` needs
        source.seek(MAGIC)
        stream = pa.ipc.open_stream(source)
        while rows:
            try:
                block = stream.read_next_batch()
            except StopIteration:
                raise pa.ArrowInvalid(f"{rows} rows are missing") from None
            check_block(block, block.num_rows, whole=True)
            yield block.slice(0, rows)
            rows -= min(rows, block.num_rows)

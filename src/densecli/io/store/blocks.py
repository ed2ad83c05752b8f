"""The file of a passage store: Arrow, in blocks of 8,192 rows."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

BLOCK = 8192
TEXTS = ("id", "title", "text")
SCHEMA = pa.schema([(name, pa.string()) for name in TEXTS])
SCHEMA_WITH_OFFSETS = SCHEMA.append(pa.field("article", pa.string())).append(pa.field("offset", pa.int64()))
MAGIC = 8
"""Bytes of an Arrow file before its blocks, which follow each other as in a stream."""

Columns = Sequence[list[Any]]


class BlockWriter:
    """Writes passages, a column at a time, into blocks that do not depend on how they came."""

    def __init__(self, path: Path, offsets: bool, flushed: Callable[[int], None] = lambda _: None) -> None:
        """Begin a file.

        Args:
            path: where.
            offsets: whether the article and the offset of each passage are kept.
            flushed: called with the number of rows in the file, whenever there are more.
        """
        self.rows = 0
        self._schema = SCHEMA_WITH_OFFSETS if offsets else SCHEMA
        self._held: list[list[Any]] = [[] for _ in self._schema]
        self._total = hashlib.sha256()
        self._flushed = flushed
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, self._schema)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of what is in the file."""
        return self._total.hexdigest()

    def add(self, columns: Columns) -> None:
        """Take passages: ids, titles, texts, and where they are kept articles and offsets."""
        for held, column in zip(self._held, columns, strict=False):
            held += column
        while len(self._held[0]) >= BLOCK:
            self._flush()

    def close(self) -> None:
        """Write what is left, and end the file."""
        if self._held[0]:
            self._flush()
        self._writer.close()
        self._sink.close()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._sink.close()

    def _flush(self) -> None:
        block = [held[:BLOCK] for held in self._held]
        for held in self._held:
            del held[:BLOCK]
        arrays = [pa.array(column, kind) for column, kind in zip(block, self._schema.types, strict=True)]
        self._total.update(orjson.dumps(block))
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self.rows += len(block[0])
        self._flushed(self.rows)


def read_unfinished(path: Path, rows: int) -> Iterator[list[list[Any]]]:
    """Yield the columns of the first `rows` rows of a file that was not ended, block by block.

    Raises:
        pyarrow.ArrowInvalid: it has fewer.
    """
    with pa.OSFile(str(path), "rb") as source:
        source.seek(MAGIC)
        stream = pa.ipc.open_stream(source)
        while rows:
            try:
                block = stream.read_next_batch()
            except StopIteration:
                raise pa.ArrowInvalid(f"{rows} rows are missing") from None
            yield [column.to_pylist() for column in block.slice(0, rows).columns]
            rows -= min(rows, block.num_rows)

"""Passages on their way into a store, in the form that they have there: what a worker process hands over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from densecli.artifacts.passages.arrow import TEXTS, schema_of
from densecli.artifacts.passages.ids import hash_ids
from densecli.errors import ResourceError

UNKNOWN = 0
LARGEST_PLACE = (1 << 32) - 1
# Arrow's strings have 32-bit ends; its large strings would double the size of the ends for every store.
LARGEST_COLUMN = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Some passages, in the order of their rows.

    Attributes:
        rows: their columns: id, title and text, and where they are kept article and offset.
        hashes: the hashes of their ids, (rows,).
        places: the places of the records that they come from, (rows,); 0 where unknown.
    """

    rows: pa.RecordBatch
    hashes: NDArray[np.uint64]
    places: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def last_place(self) -> int | None:
        """The last place that is known."""
        known = self.places[self.places != UNKNOWN]
        return int(known[-1]) if len(known) else None


def make_batch(columns: Sequence[Sequence[Any]], places: Sequence[int | None]) -> PassageBatch:
    """Return passages as a batch.

    Args:
        columns: ids, titles, texts, and where they are kept articles and offsets.
        places: the place of the record of each; one beyond 32 bits counts as unknown.

    Raises:
        ResourceError: a column of theirs takes more than 2 GiB.
    """
    schema = schema_of(offsets=len(columns) > len(TEXTS))
    arrays = [
        _texts(column) if pa.types.is_string(kind) else pa.array(np.array(column, dtype=np.int64))
        for column, kind in zip(columns, schema.types, strict=True)
    ]
    numbers = [place if place is not None and place <= LARGEST_PLACE else UNKNOWN for place in places]
    rows = pa.record_batch(arrays, schema=schema)
    return PassageBatch(rows, hash_ids(columns[0]), np.array(numbers, dtype=np.uint32))


def _texts(column: Sequence[str]) -> pa.StringArray:
    """Return texts as Arrow has them; `pa.array` would load pandas for it, in every process."""
    encoded = [text.encode() for text in column]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    if ends[-1] > LARGEST_COLUMN:
        raise ResourceError("passages cut together take more than 2 GiB; let `stride` be larger")
    buffers = (pa.py_buffer(part) for part in (ends.astype(np.int32), b"".join(encoded)))
    return pa.StringArray.from_buffers(len(column), *buffers)


def batch_of_rows(rows: pa.RecordBatch) -> PassageBatch:
    """Return rows of a store as a portion, whose places are not known."""
    hashes = hash_ids(rows.column(0).to_pylist())
    return PassageBatch(rows, hashes, np.full(len(hashes), UNKNOWN, dtype=np.uint32))

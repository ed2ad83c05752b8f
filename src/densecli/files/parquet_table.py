"""Parquet tables, read a few rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from densecli.errors import InputError
from densecli.files.names import require_utf8_name
from densecli.files.shortages import is_shortage
from densecli.files.urls import is_remote

# Few, because a single row can hold a whole article or book.
ROWS = 256
BUFFER = 1 << 20
MAGIC = b"PAR1"


class ParquetTable:
    """A Parquet file or URL, opened.

    Attributes:
        names: its columns.
    """

    def __init__(self, path: str) -> None:
        """Read the schema.

        Raises:
            InputError: the file is missing or damaged.
            ArtifactError: a URL is out of reach.
            UsageError: the name is not UTF-8.
        """
        require_utf8_name(path)
        self._path = path
        self._open = ExitStack()
        try:
            place: Any = path
            if is_remote(path):
                remote = import_module("densecli.files.remote")
                place = self._open.enter_context(remote.open_seekable(path))
            self._table = self._open.enter_context(pq.ParquetFile(place, buffer_size=BUFFER))
        except FileNotFoundError:
            raise InputError(path, None, "no such file", "an existing file") from None
        except (pa.ArrowException, OSError) as error:
            raise self._damage_error(None, error) from None
        self.names: list[str] = self._table.schema_arrow.names

    def rows(self, names: Sequence[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield `(number from 1, values)` of some columns; the file is closed at the end.

        Raises:
            InputError: the file is damaged; after all rows before the damage.
        """
        number = 0
        try:
            with self._open:
                for batch in self._table.iter_batches(ROWS, columns=list(names)):
                    for values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
                        number += 1
                        yield number, values
        # the others: two columns of one name, and dates that Python does not know
        except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
            raise self._damage_error(number + 1, error) from None

    def _damage_error(self, row: int | None, error: Exception) -> Exception:
        if is_shortage(error):
            return error
        why = " ".join(str(error).split())[:80]
        return InputError(self._path, row, f"not a Parquet file, or damaged ({why})", "the whole file")

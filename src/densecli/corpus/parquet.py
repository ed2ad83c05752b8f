"""Parquet tables, read a few rows at a time."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from densecli.corpus.columns import Columns, parse_values
from densecli.corpus.source import Source
from densecli.errors import FieldError, InputError
from densecli.files.names import require_utf8_name
from densecli.files.shortages import is_shortage

ROWS = 256
BUFFER = 1 << 20


def parquet_source(path: str, columns: Columns) -> Source:
    """Open a Parquet file.

    Raises:
        InputError: it is missing or damaged, or has no id or text column.
        UsageError: its name is not UTF-8.
    """
    require_utf8_name(path)
    try:
        table = pq.ParquetFile(path, buffer_size=BUFFER)
    except FileNotFoundError:
        raise InputError(path, None, "no such file", "an existing file") from None
    except (pa.ArrowException, OSError) as error:
        if is_shortage(error):
            raise
        raise _damaged(path, None, error) from None
    names = table.schema_arrow.names
    try:
        columns = columns.among(names)
    except FieldError as error:
        raise InputError(path, None, error.what.replace("header", "schema"), error.expected) from None
    wanted = [name for name in (*columns.ids, columns.title, *columns.texts) if name in names]
    return Source(path, _rows(path, table, wanted), partial(parse_values, columns, tuple(wanted)))


def _rows(path: str, table: pq.ParquetFile, names: list[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    number = 0
    try:
        with table:
            for batch in table.iter_batches(ROWS, columns=names):
                for values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
                    number += 1
                    yield number, values
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if is_shortage(error):
            raise
        raise _damaged(path, number + 1, error) from None


def _damaged(path: str, row: int | None, error: Exception) -> InputError:
    why = " ".join(str(error).split())[:80]
    return InputError(path, row, f"not a Parquet file, or damaged ({why})", "the whole file")

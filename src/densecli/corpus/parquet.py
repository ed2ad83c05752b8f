"""Parquet corpora."""

from functools import partial

from densecli.corpus.columns import Columns, parse_values
from densecli.corpus.source import Source
from densecli.errors import FieldError, InputError
from densecli.files.parquet_table import ParquetTable


def parquet_source(path: str, columns: Columns) -> Source:
    """Open a Parquet file.

    Raises:
        InputError: it is missing or damaged, or has no id or text column.
    """
    table = ParquetTable(path)
    try:
        columns = columns.among(table.names)
    except FieldError as error:
        raise InputError(path, None, error.what.replace("header", "schema"), error.expected) from None
    wanted = [name for name in (*columns.ids, columns.title, *columns.texts) if name in table.names]
    return Source(path, table.rows(wanted), partial(parse_values, columns, tuple(wanted)))

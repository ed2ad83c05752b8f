"""Tables of text: tab- and comma-separated values with a header, quoted as csv has it."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from densecli.corpus.columns import Columns, record_of
from densecli.corpus.source import Source
from densecli.errors import FieldError, InputError
from densecli.files.quoted_rows import UNCLOSED, is_whole, quoted_rows
from densecli.files.streams import display_name, lines, open_bytes
from densecli.files.utf8 import EncodingError, decode_utf8
from densecli.records import Article, Passage

KINDS = {"\t": ("TSV", "tabs"), ",": ("CSV", "commas")}


def tsv_source(path: str, columns: Columns) -> Source:
    """Open a table with tabs between its fields, whose first row names its columns.

    Raises:
        InputError: it is missing or empty, or its header has no id or text column.
    """
    return _source(path, "\t", columns)


def csv_source(path: str, columns: Columns) -> Source:
    """Open a table with commas between its fields, else as `tsv_source` does."""
    return _source(path, ",", columns)


def _source(path: str, mark: str, columns: Columns) -> Source:
    rows = raw_rows(path, mark)
    header = read_header(path, mark, rows)
    try:
        columns = columns.among(header)
    except FieldError as error:
        expected = f"{error.expected}; `input_format` collection reads a file without a header"
        raise InputError(display_name(path), 1, error.what, expected) from None
    return Source(display_name(path), rows, partial(parse_row, mark, tuple(header), columns))


def read_header(path: str, mark: str, rows: Iterator[tuple[int, bytes]]) -> list[str]:
    """Take the first row, and return the names in it.

    Raises:
        InputError: the file is missing or broken.
    """
    place, first = next(rows, (None, b""))
    if place is None:
        raise InputError(display_name(path), None, "is empty", "a header and at least one passage")
    try:
        return split_row(mark, first)
    except FieldError as error:
        raise InputError(display_name(path), place, error.what, error.expected) from None


def parse_row(mark: str, header: Sequence[str], columns: Columns, data: bytes) -> Article | Passage:
    """Return the record in one row of a table.

    Raises:
        FieldError: not UTF-8, another number of fields than the header has, or broken quotes.
    """
    fields = split_row(mark, data)
    if len(fields) != len(header):
        expected = f"{len(header)}: {', '.join(header)[:80]}"
        raise FieldError(
            f"another number of fields ({len(fields)})", expected, code="wrong_number_of_columns"
        )
    return record_of(columns, dict(zip(header, fields, strict=True)))


def split_row(mark: str, data: bytes) -> list[str]:
    """Return the fields of one row, which may hold line ends between quotes.

    Raises:
        FieldError: not UTF-8, or quotes that do not match.
    """
    text = decode_utf8(data)
    if '"' not in text:
        return text.rstrip("\r\n").split(mark)
    # its default of 128 KiB is less than a long article
    csv.field_size_limit(sys.maxsize)
    try:
        return next(csv.reader([text], delimiter=mark, strict=True))
    except csv.Error as error:
        kind, marks = KINDS[mark]
        why = error if is_whole(data, mark) else UNCLOSED
        raise FieldError(
            f"not a {kind} ({why})", f"{marks}, and quotes as csv has them", code="broken_table"
        ) from None


def raw_rows(path: str, mark: str) -> Iterator[tuple[int, bytes]]:
    """Yield `(line it begins on, row)` of a table, header and all; blank lines are skipped.

    A row continues on the next line while a quoted field does, if it then has as many fields as the header.
    Otherwise each of those lines is a row, so that a stray quote spoils only its own line.

    Raises:
        InputError: the file cannot be read.
    """
    width = 0

    def sound(row: bytes) -> bool:
        try:
            return len(split_row(mark, row)) == width or not width
        except EncodingError:  # which its parser reports, and not the quote that is open on its first line
            return True
        except FieldError:
            return False

    with open_bytes(path) as stream:
        rows = quoted_rows(enumerate(lines(stream, display_name(path)), 1), mark, sound)
        for header in islice(rows, 1):
            with suppress(FieldError):
                width = len(split_row(mark, header[1]))
            yield header
        yield from rows

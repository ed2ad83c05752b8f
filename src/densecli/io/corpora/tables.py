"""Tables of text: tab- and comma-separated values with a header, quoted as csv has it."""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial

from densecli.errors import FieldError, InputError
from densecli.io.corpora.columns import Columns, record_of
from densecli.io.corpora.source import Source
from densecli.io.streams import LINE_LIMIT, lines, open_bytes, told
from densecli.records import Article, Passage

KINDS = {"\t": ("TSV", "tabs"), ",": ("CSV", "commas")}
FIELD = r'(?:"(?:[^"]++|"")*+"[^{0}]*+|(?!")[^{0}]*+)'
ROW = {mark: re.compile((FIELD + "(?:{0}" + FIELD + ")*+").replace("{0}", mark).encode()) for mark in KINDS}
REST = {
    mark: re.compile(('(?:[^"]++|"")*+"[^{0}]*+(?:{0}' + FIELD + ")*+").replace("{0}", mark).encode())
    for mark in KINDS
}
"""A whole row, and what completes one whose last field is still within quotes."""


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
        raise InputError(told(path), 1, error.what, error.expected) from None
    return Source(told(path), rows, partial(parse_row, mark, tuple(header), columns))


def read_header(path: str, mark: str, rows: Iterator[tuple[int, bytes]]) -> list[str]:
    """Take the first row, and return the names in it.

    Raises:
        InputError: there is none, or it is broken.
    """
    place, first = next(rows, (None, b""))
    if place is None:
        raise InputError(told(path), None, "is empty", "a header and at least one passage")
    try:
        return split_row(mark, first)
    except FieldError as error:
        raise InputError(told(path), place, error.what, error.expected) from None


def parse_row(mark: str, header: Sequence[str], columns: Columns, data: bytes) -> Article | Passage:
    """Return the record in one row of a table.

    Raises:
        FieldError: not UTF-8, another number of fields than the header has, or broken quotes.
    """
    fields = split_row(mark, data)
    if len(fields) != len(header):
        expected = f"{len(header)}: {', '.join(header)[:80]}"
        raise FieldError(f"another number of fields ({len(fields)})", expected)
    return record_of(columns, dict(zip(header, fields, strict=True)))


def split_row(mark: str, data: bytes) -> list[str]:
    """Return the fields of one row, which may hold line ends between quotes.

    Raises:
        FieldError: not UTF-8, or quotes that do not match.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FieldError("not UTF-8", "UTF-8 text") from None
    if '"' not in text:
        return text.rstrip("\r\n").split(mark)
    csv.field_size_limit(sys.maxsize)
    try:
        return next(csv.reader([text], delimiter=mark, strict=True))
    except csv.Error as error:
        kind, marks = KINDS[mark]
        raise FieldError(f"not a {kind} ({error})", f"{marks}, and quotes as csv has them") from None


def raw_rows(path: str, mark: str) -> Iterator[tuple[int, bytes]]:
    """Yield `(line it begins on, row)` of a table, header and all; blank lines are passed over.

    A row goes on over the end of its line where a quoted field does.

    Raises:
        InputError: the file cannot be read, or a quote is opened and not closed for 64 MiB.
    """
    held: list[bytes] = []
    begun = size = 0
    with open_bytes(path) as stream:
        for number, line in enumerate(lines(stream, told(path)), 1):
            if held:
                size += len(line)
                held.append(line)
                if b'"' in line and REST[mark].fullmatch(line):
                    yield begun, b"".join(held)
                    held.clear()
                elif size > LINE_LIMIT:
                    what = f"a quote is opened and not closed for {LINE_LIMIT >> 20} MiB"
                    raise InputError(told(path), begun, what, "quotes as csv has them")
            elif b'"' in line and not ROW[mark].fullmatch(line):
                begun, size = number, len(line)
                held.append(line)
            elif not line.isspace():
                yield number, line
    if held:
        yield begun, b"".join(held)

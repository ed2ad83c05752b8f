"""A text file or stdin whose beginning shows its format: JSON lines, a JSON array, or other lines."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeVar

import orjson

from densecli.errors import FieldError, InputError
from densecli.fields import Json
from densecli.files.arrivals import forget
from densecli.files.bad_records import REST, STOP, BadRecords
from densecli.files.json_objects import Layout, ObjectCutter, is_begun, layout_of
from densecli.files.jsonl import parse_row
from densecli.files.shards import shards_of
from densecli.files.streams import (
    BOM,
    LINE_LIMIT,
    STDIN,
    display_name,
    open_bytes,
    packing,
    peek,
    refuse_utf16,
)

T = TypeVar("T")
Line = tuple[int, bytes]
OBJECT = re.compile(rb'\s*\{\s*(?:["}]|$)')
HEAD = 1 << 16
PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and its place; `element` counts those of an array from 1, `key` names it there."""

    line: int
    element: int | None
    fields: Json
    key: str | None = None

    @property
    def id(self) -> str:
        """The id of a record that has none of its own."""
        return self.key or str(self.element or self.line)


class Document:
    """A stream whose first line was looked at, and not consumed.

    Attributes:
        name: the path, or `stdin`, as errors show it.
        path: as it was given.
        first: the first line that is not blank, without its end.
        line: its number.
        bad: what a record that cannot be used does.
        is_named: whether the user says what form it has.
    """

    is_named = False

    def __init__(self, path: str, stream: BinaryIO, bad: BadRecords = STOP) -> None:
        """Read to the first line that is not blank.

        Raises:
            InputError: there is none, or it is UTF-16 or endless.
        """
        self.path = path
        self.name = display_name(path)
        self.bad = bad
        self._stream = stream
        self._numbered = self._read()
        head = next(self._numbered, None)
        if head is None:
            raise InputError(self.name, None, "is empty", "at least one record")
        self.line, self._head = head
        refuse_utf16(self._head, self.name)
        self.first = self._head.rstrip(b"\r\n")

    def _read(self) -> Iterator[Line]:
        """Yield the lines, with their ends, from the first that is not blank."""
        begun = False
        number = 0
        while line := self._stream.readline(LINE_LIMIT + 1 if begun else HEAD):
            number += 1
            if number == 1:
                line = line.removeprefix(BOM)
            begun = begun or bool(line.strip())
            if begun and not self._endless(line, number):
                yield number, line

    def _endless(self, line: bytes, number: int) -> bool:
        """Whether a line is longer than any record; it is then passed over to its end."""
        if len(line) <= LINE_LIMIT:
            return False
        error = FieldError(
            f"a line of more than {LINE_LIMIT >> 20} MiB", "records in lines", code="too_large"
        )
        self.refuse(error, number)
        while line and not line.endswith(b"\n"):
            line = self._stream.readline(LINE_LIMIT)
        return True

    @cached_property
    def layout(self) -> Layout | None:
        """Where its JSON objects stand when it is one long value; None where each has a line of its own."""
        return layout_of(self.first, self._beginning())

    @property
    def is_json(self) -> bool:
        """Whether it is made of JSON objects, in one value or in lines."""
        return bool(OBJECT.match(self.first)) or self.layout is not None

    @property
    def is_named_json(self) -> bool:
        """Whether its name says that each line is a JSON object."""
        return self.path.removesuffix(packing(self.path)).endswith((".jsonl", ".ndjson"))

    def _beginning(self) -> bytes:
        """Return the first line; if it only begins an object, lines up to the one that shows the layout."""
        if is_begun(self.first):
            while len(self._head) < HEAD and not (b"[" in self._head or self._head.count(b"{") > 1):
                more = self._stream.readline(HEAD)
                if not more:
                    break
                self._head += more
        return self._head

    def raw_lines(self) -> Iterator[Line]:
        """Yield `(number from 1, line with its end)` from the first line that is not blank.

        Raises:
            InputError: a line is longer than any record.
        """
        head = self._head
        # only its beginning was read, of which a byte order mark is gone
        if len(head) >= HEAD - len(BOM) and not head.endswith(b"\n"):
            head += self._stream.readline(LINE_LIMIT)
            if self._endless(head, self.line):
                return self._numbered
        return chain([(self.line, head)], self._numbered)

    def lines(self) -> Iterator[Line]:
        """Yield `(number from 1, line without its end)`; blank lines are passed over."""
        return ((number, line.rstrip(b"\r\n")) for number, line in self.raw_lines() if line.strip())

    def rows(self) -> Iterator[Row]:
        """Yield the JSON objects, from lines or out of one long value.

        Raises:
            InputError: one is not valid JSON or no object, or the value is cut off.
        """
        if self.layout is None:
            for number, line in self.lines():
                yield from self._parsed(partial(parse_row, line), number, None)
            return
        forget(self.path)
        cutter = ObjectCutter(self._stream, self._head, self.line, self.layout)
        element = 0
        try:
            for element, _ in enumerate(cutter, 1):
                key = None if cutter.key is None else str(orjson.loads(cutter.key))
                yield from self._parsed(cutter.parsed, cutter.line, element, key)
        except FieldError as error:
            raise self.error(error, cutter.line, element + 1) from None
        except orjson.JSONDecodeError:
            unreadable = FieldError("a key is no JSON text", "UTF-8 text", code="broken_json")
            raise self.error(unreadable, cutter.line, element + 1) from None

    def _parsed(
        self, parse: Callable[[], Json], line: int, element: int | None, key: str | None = None
    ) -> Iterator[Row]:
        try:
            row = Row(line, element, parse(), key)
        except FieldError as error:
            self.refuse(error, line, element)
        else:
            yield row

    def error(self, error: FieldError, line: int, element: int | None = None) -> InputError:
        """Return what is wrong with one record, with its place."""
        what = error.what if element is None else f"object {element}: {error.what}"
        return InputError(self.name, line, what, error.expected)

    def refuse(self, error: FieldError, line: int, element: int | None = None) -> None:
        """Take a record that cannot be used.

        Raises:
            InputError: what is wrong with it, unless such records are passed over.
        """
        self.bad.refuse(error.code, self.error(error, line, element))

    def each(self, rows: Iterable[Row], parse: Callable[[Json, str], Iterable[T]]) -> Iterator[T]:
        """Yield the records that `parse(fields, default id)` makes of each object.

        Raises:
            InputError: one cannot be used.
        """
        for row in rows:
            try:
                found = tuple(parse(row.fields, row.id))
            except FieldError as error:
                self.refuse(error, row.line, row.element)
            else:
                yield from found


class _RowsDocument(Document):
    """A document that is made of rows, in any container."""

    def __init__(self, path: str, bad: BadRecords, rows: Iterator[Row]) -> None:
        self.path = self.name = path
        self.bad = bad
        self.first, self.line = b"", 1
        self._rows = rows

    @cached_property
    def layout(self) -> None:
        """It is no JSON value."""

    @property
    def is_json(self) -> bool:
        """It is made of objects."""
        return True

    def rows(self) -> Iterator[Row]:
        """Yield the rows.

        Raises:
            InputError: a file is damaged.
        """
        return self._rows


class FolderDocument(_RowsDocument):
    """Files of JSON lines and Parquet, one after the other; a record without an id has its file's name in it.

    Attributes:
        name: the file that is being read.
    """

    def __init__(self, shards: Sequence[str], bad: BadRecords = STOP) -> None:
        """Begin with the first file, which is not opened yet."""
        super().__init__(shards[0], bad, self._chained(shards))

    def _chained(self, shards: Sequence[str]) -> Iterator[Row]:
        for path in shards:
            self.path = self.name = path
            try:
                with open_document(path, self.bad) as document:
                    for row in document.rows():
                        yield replace(row, key=f"{Path(path).name}:{row.id}")
            except InputError as error:  # the files behind a broken one are whole
                self.bad.refuse(REST, error)


def _parquet_rows(path: str) -> Iterator[Row]:
    table = import_module("densecli.files.parquet_table").ParquetTable(path)  # loads pyarrow.parquet
    for number, values in table.rows(table.names):
        yield Row(number, None, dict(zip(table.names, values, strict=True)))


@contextmanager
def open_document(path: str, bad: BadRecords = STOP) -> Iterator[Document]:
    """Open a file, a compressed file, a folder of files, a URL, or stdin (`-`) as a document.

    Raises:
        InputError: it is missing, unreadable or empty, its compression is broken, or it is a folder without
            files of JSON lines or Parquet.
    """
    if shards := shards_of(path):
        yield FolderDocument(shards, bad)
        return
    with open_bytes(path) as stream:
        is_parquet = peek(stream).startswith(PARQUET)
        if not is_parquet:
            yield Document(path, stream, bad)
    if is_parquet and path == STDIN:
        raise InputError(
            display_name(path), None, "is a Parquet file", "its name: it cannot be read as a stream"
        )
    if is_parquet:
        yield _RowsDocument(path, bad, _parquet_rows(path))

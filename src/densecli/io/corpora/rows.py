"""JSON corpora: one object per line, or the objects of one array."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from densecli.errors import FieldError, InputError
from densecli.io.corpora.columns import Columns, record_of
from densecli.io.corpora.source import Source
from densecli.io.formats.json_array import ArrayCutter
from densecli.io.jsonl import parse_row, read_lines
from densecli.io.streams import BOM, open_bytes, told
from densecli.records import Article, Passage

HEAD = 1 << 16


def jsonl_source(path: str, columns: Columns) -> Source:
    """Open JSON lines: WikiExtractor's, BEIR's and Tevatron's corpora are such."""
    return Source(told(path), read_lines(path), partial(parse_object, columns))


def json_source(path: str, columns: Columns) -> Source:
    """Open a JSON array of objects, of which one is in memory at a time."""
    return Source(told(path), _elements(path), partial(parse_object, columns))


def parse_object(columns: Columns, data: bytes) -> Article | Passage:
    """Return the record in one JSON object.

    Raises:
        FieldError: it is no JSON object, or has no id or text.
    """
    return record_of(columns, parse_row(data))


def _elements(path: str) -> Iterator[tuple[int, Any]]:
    with open_bytes(path) as stream:
        begun = stream.read(HEAD).removeprefix(BOM)
        if not begun.strip():
            raise InputError(told(path), None, "is empty", "at least one record")
        if not begun.lstrip().startswith((b"[", b"{")):
            raise InputError(told(path), 1, f"begins with {begun.lstrip()[:20]!r}", "a JSON array of objects")
        cutter = ArrayCutter(stream, begun, 1)
        try:
            for data in cutter:
                yield cutter.line, data
        except FieldError as error:
            raise InputError(told(path), cutter.line, error.what, error.expected) from None

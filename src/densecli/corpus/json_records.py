"""JSON corpora: one object per line, or the objects of one array."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from densecli.corpus.columns import Columns, record_of
from densecli.corpus.source import Source, line_source
from densecli.errors import FieldError, InputError
from densecli.files.json_objects import ARRAY, ObjectCutter, layout_of
from densecli.files.jsonl import parse_row
from densecli.files.line_blocks import read_slabs
from densecli.files.streams import BOM, display_name, open_bytes
from densecli.records import Article, Passage

HEAD = 1 << 16
LOOKED_AT = 100
"""Records that are looked at for the title that the user named."""


def jsonl_source(path: str, columns: Columns) -> Source:
    """Open JSON lines: WikiExtractor's, BEIR's and Tevatron's corpora are such."""
    slabs = read_slabs(path)
    if columns.title_named:
        first = next(slabs)
        _titled(path, iter(first), columns)
        slabs = chain([first], slabs)
    return line_source(path, slabs, partial(parse_object, columns))


def json_source(path: str, columns: Columns) -> Source:
    """Open a JSON array of objects, of which one is in memory at a time."""
    return Source(display_name(path), _titled(path, _elements(path), columns), partial(parse_object, columns))


def _titled(path: str, raw: Iterator[tuple[int, bytes]], columns: Columns) -> Iterator[tuple[int, bytes]]:
    """Return the records from the first on, when one of those at the beginning has the title that is named.

    Raises:
        InputError: none has it, although they are JSON objects.
    """
    begun: list[tuple[int, bytes]] = []
    names: set[str] = set()
    while columns.title_named and columns.title not in names and len(begun) < LOOKED_AT:
        record = next(raw, None)
        if record is None:
            break
        begun.append(record)
        with suppress(FieldError):
            names.update(parse_row(record[1]))
    if columns.title_named and names and columns.title not in names:
        what = f"no field {columns.title!r} in the first {len(begun):,} records"
        raise InputError(
            display_name(path),
            begun[0][0],
            what,
            f"`title_column` to name one of {', '.join(sorted(names))[:80]}",
        )
    return chain(begun, raw)


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
            raise InputError(display_name(path), None, "is empty", "at least one record")
        if not begun.lstrip().startswith((b"[", b"{")):
            raise InputError(
                display_name(path), 1, f"begins with {begun.lstrip()[:20]!r}", "a JSON array of objects"
            )
        first = begun.lstrip().partition(b"\n")[0]
        cutter = ObjectCutter(stream, begun, 1, layout_of(first, begun) or ARRAY)
        try:
            for data in cutter:
                yield cutter.line, data
        except FieldError as error:
            raise InputError(display_name(path), cutter.line, error.what, error.expected) from None

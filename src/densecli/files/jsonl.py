"""Streams of JSON lines, from a file, a compressed file or standard input."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson

from densecli.errors import FieldError, InputError
from densecli.fields import Json
from densecli.files.atomic import new_file
from densecli.files.streams import display_name, lines, open_bytes
from densecli.files.utf8 import decode_utf8

T = TypeVar("T")


def read_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """Yield `(line number from 1, line without its end)`; blank lines are skipped.

    Raises:
        InputError: the file cannot be read or holds nothing.
    """
    empty = True
    with open_bytes(path) as stream:
        for number, line in enumerate(lines(stream, display_name(path)), 1):
            line = line.rstrip(b"\r\n")
            if line and not line.isspace():
                empty = False
                yield number, line
    if empty:
        raise InputError(display_name(path), None, "is empty", "at least one record")


def parse_row(line: bytes) -> dict[str, Any]:
    """Parse one line.

    Raises:
        FieldError: it is not a JSON object in valid UTF-8 (lone surrogates are refused too).
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        # first: where the bytes are no text, that is the better message
        decode_utf8(line)
        raise FieldError(f"broken JSON ({error})", "one JSON object per line", code="broken_json") from None
    if not isinstance(row, dict):
        raise FieldError(f"a JSON {type(row).__name__}", "one JSON object per line", code="wrong_type")
    return row


def read_records(path: str, parse: Callable[[Json, str], T]) -> Iterator[T]:
    """Yield `parse(row, line number as text)` for each line of a JSONL stream.

    Raises:
        InputError: `file:line: what; expected`, for the first line that does not parse.
    """
    for number, line in read_lines(path):
        try:
            yield parse(parse_row(line), str(number))
        except FieldError as error:
            raise InputError(display_name(path), number, error.what, error.expected) from None


def encode_line(row: Mapping[str, Any]) -> bytes:
    """Return `row` as one line of JSON with its line end."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)


def write_lines(path: Path, rows: Iterator[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines, into a file that appears when it is whole; return how many.

    Raises:
        UsageError: `path` is a folder.
        ResourceError: the disk is full, or another process is writing `path`.
        ArtifactError: `path` is a link.
    """
    count = 0
    with new_file(path) as unfinished, open(unfinished, "wb") as stream:
        for row in rows:
            stream.write(encode_line(row))
            count += 1
    return count

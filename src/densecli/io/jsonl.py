"""Streams of JSON lines, from a file, a gzip file or standard input."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from densecli.errors import FieldError, InputError
from densecli.fields import Json

T = TypeVar("T")
STDIN = "-"
BOM = b"\xef\xbb\xbf"


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """Open a file for reading bytes; `-` is standard input, `.gz` is decompressed.

    Raises:
        InputError: the file is missing, a folder, unreadable, or its gzip stream is broken.
    """
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as stream:
            yield stream  # type: ignore[misc]
    except IsADirectoryError:
        raise InputError(path, None, "is a folder", "a file") from None
    except FileNotFoundError as error:
        if str(error.filename) != path:
            raise
        raise InputError(path, None, "no such file", "an existing file or - for stdin") from None
    except gzip.BadGzipFile as error:
        raise InputError(
            path, None, f"not gzip data, or damaged ({error})", "gzip data, as its name says"
        ) from None
    except (EOFError, zlib.error):
        raise InputError(path, None, "the gzip stream is cut off or broken", "the whole file") from None


def read_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """Yield `(line number from 1, line without its end)`; blank lines are passed over.

    Raises:
        InputError: the file cannot be read or holds nothing.
    """
    name = "stdin" if path == STDIN else path
    empty = True
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            if number == 1 and line.startswith(BOM):
                line = line[len(BOM) :]
            line = line.rstrip(b"\r\n")
            if line and not line.isspace():
                empty = False
                yield number, line
    if empty:
        raise InputError(name, None, "is empty", "at least one record")


def parse_row(line: bytes) -> dict[str, Any]:
    """Parse one line.

    Raises:
        FieldError: it is not a JSON object in valid UTF-8 (lone surrogates are refused too).
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise FieldError(f"broken JSON ({error})", "one JSON object per line") from None
    if not isinstance(row, dict):
        raise FieldError(f"a JSON {type(row).__name__}", "one JSON object per line")
    return row


def read_records(path: str, parse: Callable[[Json, str], T]) -> Iterator[T]:
    """Yield `parse(row, line number as text)` for each line of a JSONL stream.

    Raises:
        InputError: `file:line: what; expected`, for the first line that does not parse.
    """
    name = "stdin" if path == STDIN else path
    for number, line in read_lines(path):
        try:
            yield parse(parse_row(line), str(number))
        except FieldError as error:
            raise InputError(name, number, error.what, error.expected) from None


def encode_line(row: Mapping[str, Any]) -> bytes:
    """Return `row` as one line of JSON with its line end."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)


def write_lines(path: Path, rows: Iterator[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines; return how many."""
    count = 0
    with open(path, "wb") as stream:
        for row in rows:
            stream.write(encode_line(row))
            count += 1
    return count

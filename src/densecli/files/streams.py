"""Bytes from a file, a compressed file or standard input, in bounded memory."""

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from densecli.errors import InputError
from densecli.files.arrivals import arriving, watch
from densecli.files.atomic import new_file, resolve_path
from densecli.files.urls import is_remote
from densecli.files.utf8 import REWRITE, UTF16

STDIN = "-"
BOM = b"\xef\xbb\xbf"
BUFFER = 1 << 20
LINE_LIMIT = 64 << 20


class _Unpacker(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def _zstd(stream: BinaryIO) -> _Unpacker:
    # pyarrow takes a tenth of a second to load; Python has zstd of its own from 3.14 on
    return cast(_Unpacker, import_module("pyarrow").CompressedInputStream(stream, "zstd"))


OPENERS: dict[str, Callable[[BinaryIO], _Unpacker]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": _zstd,
}
# mtime 0 and no name: the same content gives the same bytes
PACKERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0),
    ".bz2": partial(bz2.BZ2File, mode="wb"),
    ".xz": partial(lzma.LZMAFile, mode="wb"),
    ".zst": lambda stream: import_module("pyarrow").CompressedOutputStream(stream, "zstd"),
}
KINDS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
MAGIC = {".gz": b"\x1f\x8b\x08", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00", ".zst": b"\x28\xb5\x2f\xfd"}


class _Unpacked(io.RawIOBase):
    """What a decompressor gives, piece by piece: all that comes before a fault is passed on."""

    def __init__(self, stream: BinaryIO, ending: str, name: str) -> None:
        self._stream = OPENERS[ending](stream)
        self._ending = ending
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read1(len(buffer))
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise _broken_stream_error(self._name, self._ending, error) from None
        buffer[: len(data)] = data
        return len(data)


def display_name(path: str) -> str:
    """Return a path as errors show it."""
    return "stdin" if path == STDIN else path


def packing(path: str) -> str:
    """Return `.gz`, `.bz2`, `.xz` or `.zst` where the name of a file ends so, else an empty string."""
    return next((ending for ending in OPENERS if path.endswith(ending)), "")


def pack_stream(stream: BinaryIO, name: str) -> AbstractContextManager[BinaryIO]:
    """Return a stream that compresses into `stream` as the name of the file says, or `stream` itself."""
    ending = packing(name)
    opened: AbstractContextManager[BinaryIO] = PACKERS[ending](stream) if ending else nullcontext(stream)
    return opened


@contextmanager
def new_stream(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream into a file that appears when it is whole; its name says how it is compressed."""
    with (
        new_file(resolve_path(path)) as place,
        open(place, "wb") as stream,
        pack_stream(stream, path.name) as out,
    ):
        yield out


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """Open a file, a URL, or `-` for standard input, for reading bytes.

    What begins as gzip, bzip2, xz or zstd data does, or is named so, is decompressed: one stream or many.
    Standard input that was opened before continues where it was left, so that a look at its beginning loses
    nothing.

    Raises:
        InputError: the file is missing, a folder, unreadable, or its compressed stream is broken.
        ArtifactError: a URL is out of reach.
        UsageError: nothing installed reads such URLs.
    """
    if path == STDIN:
        with arriving(path, _standard(sys.stdin.buffer)) as stream:
            yield stream
        return
    if is_remote(path) and not os.path.exists(path):
        with import_module("densecli.files.remote").open_remote(path) as remote:
            yield _unpack(remote, path)
        return
    try:
        with open(path, "rb") as opened, arriving(path, _unpack(watch(opened), path)) as stream:
            yield stream
    except IsADirectoryError:
        raise InputError(path, None, "is a folder", "a file") from None
    except FileNotFoundError as error:
        if str(error.filename) != path:
            raise
        raise _missing_error(path) from None


def refuse_missing(path: str) -> None:
    """Refuse a missing file, before work begins whose result would be lost.

    Raises:
        InputError: it is neither there, nor standard input, nor a URL.
    """
    if path != STDIN and not is_remote(path) and not os.path.exists(path):
        raise _missing_error(path)


def _missing_error(path: str) -> InputError:
    return InputError(path, None, "no such file", "an existing file or - for stdin")


def _broken_stream_error(name: str, ending: str, error: Exception) -> InputError:
    """Return the error for a broken compressed stream."""
    kind = KINDS[ending]
    cut_off = isinstance(error, EOFError | zlib.error) or "Truncated" in str(error)
    if not cut_off:
        return InputError(
            name, None, f"not {kind} data, or damaged ({error})", f"{kind} data, as its name says"
        )
    return InputError(name, None, f"the {kind} stream is cut off or broken", "the whole file")


def _sniff_packing(head: bytes) -> str:
    return next((ending for ending, magic in MAGIC.items() if head.startswith(magic)), "")


# kept between calls: what a look at the beginning has read into the buffer must not be lost
@lru_cache(maxsize=1)
def _standard(stream: BinaryIO) -> BinaryIO:
    return _unpack(watch(stream), display_name(STDIN))


def _unpack(stream: BinaryIO, name: str) -> BinaryIO:
    ending = packing(name) or _sniff_packing(peek(stream))
    return io.BufferedReader(_Unpacked(stream, ending, name), BUFFER) if ending else stream


def peek(stream: BinaryIO) -> bytes:
    """Return the next bytes of a stream without consuming them; none if the stream cannot do that."""
    return stream.peek() if isinstance(stream, io.BufferedReader) else b""


def refuse_utf16(beginning: bytes, name: str) -> None:
    """Refuse a file by its first bytes.

    Raises:
        InputError: they are the byte order mark of UTF-16.
    """
    if beginning.startswith(UTF16):
        raise InputError(name, None, "is UTF-16", REWRITE.format("UTF-16"))


def lines(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the lines of a stream with their ends; a byte order mark at the beginning is left out.

    Raises:
        InputError: a line of more than 64 MiB, or a file in UTF-16.
    """
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(BOM)
            refuse_utf16(line, name)
        if len(line) > LINE_LIMIT:
            raise InputError(name, number, f"a line of more than {LINE_LIMIT >> 20} MiB", "records in lines")
        yield line

"""Streams that are still being written: whether the next line is there, or has to be waited for.

A program that sends one question through a pipe and waits for its answer must get it before it sends the
next one. So batches consist of the lines that have arrived.
"""

import io
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

BUFFER = 1 << 20
_OPEN: "dict[str, ArrivalReader]" = {}
"""Streams of lines that are being read, by their path."""


class _Source(io.RawIOBase):
    """The bytes of a pipe; None where there are none yet and it may not wait."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.may_wait = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        if not self.may_wait and not _is_ready(self._stream):
            return None
        # read1 and not read: it returns what is there, instead of waiting until the buffer is full
        data = self._stream.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _is_ready(stream: io.BufferedReader) -> bool:
    """Whether a pipe can be read without waiting; Windows does not say, so there each line comes alone."""
    return sys.platform != "win32" and bool(select.select([stream], [], [], 0)[0])


class ArrivalReader(io.BufferedReader):
    """A pipe that knows whether a line has arrived."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._source = _Source(stream)
        super().__init__(self._source, BUFFER)

    def has_arrived(self) -> bool:
        """Whether a line that is not blank can be read without waiting."""
        self._source.may_wait = False
        try:
            return b"\n" in self.peek().lstrip()
        finally:
            self._source.may_wait = True


def watch(stream: BinaryIO) -> BinaryIO:
    """Return a reader that knows which lines of a pipe have arrived; a file is returned unchanged."""
    # a file is there as a whole, so nothing in it has to be waited for
    if not isinstance(stream, io.BufferedReader) or stream.seekable():
        return stream
    return ArrivalReader(stream)


@contextmanager
def arriving(path: str, stream: BinaryIO) -> Iterator[BinaryIO]:
    """Keep a stream known to `has_arrived` while it is read."""
    if not isinstance(stream, ArrivalReader):
        yield stream
        return
    _OPEN[path] = stream
    try:
        yield stream
    finally:
        _OPEN.pop(path, None)


def forget(path: str) -> None:
    """Read a stream as a file from now on, because its records are not lines."""
    _OPEN.pop(path, None)


def has_arrived(path: str) -> bool:
    """Whether the next record of a file or stream can be read without waiting for its writer."""
    stream = _OPEN.get(path)
    return stream is None or stream.has_arrived()

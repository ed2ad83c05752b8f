"""Bytes of a file whose length is known: what says that it is longer than the file is refused unread."""

import struct
from typing import BinaryIO

from densecli.errors import FieldError

LONGEST_LINE = 200


class MeasuredBytes:
    """A stream from which no more is taken than it holds."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Read from `stream`, in which `size` bytes are left."""
        self._stream = stream
        self._left = size

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes.

        Raises:
            FieldError: fewer bytes are left.
        """
        if count < 0 or count > self._left:
            raise FieldError(
                f"the pickle is cut off: {count} bytes are asked for, {self._left} are left", "a whole file"
            )
        data = self._stream.read(count)
        self._left -= count
        if len(data) != count:
            raise FieldError("the pickle is cut off", "a whole file")
        return data

    def line(self) -> bytes:
        """Return the next line, without its end.

        Raises:
            FieldError: it has no end, or is of more than 200 bytes.
        """
        data = self._stream.readline(min(self._left, LONGEST_LINE))
        self._left -= len(data)
        if not data.endswith(b"\n"):
            raise FieldError("the pickle is cut off, or a name in it is too long", "a whole file")
        return data[:-1]

    def number(self, form: str) -> int:
        """Return the next number, written in a form of `struct`.

        Raises:
            FieldError: the stream ends before it.
        """
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(value)

"""The lines of a file in blocks of many, which are split where they are parsed, in any process."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from typing import cast

from densecli.errors import InputError
from densecli.files.streams import BOM, LINE_LIMIT, display_name, open_bytes, refuse_utf16

SLAB = 1 << 20
BLANK = re.compile(rb"\n[^\S\n]*+(?=\n|\Z)")


@dataclass(frozen=True)
class LineBlock:
    """Some lines of a file, unchanged.

    Its length is how many are not blank; those it yields as `(line number, line without its end)`.

    Attributes:
        first: the number of its first line, from 1.
        data: the lines.
    """

    first: int
    data: bytes

    def __len__(self) -> int:
        return self._full

    @cached_property
    def _full(self) -> int:
        return self.data.count(b"\n") + 1 - len(BLANK.findall(b"\n" + self.data))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        for number, line in enumerate(self.data.split(b"\n"), self.first):
            if line and not line.isspace():
                yield number, line.rstrip(b"\r")


def read_slabs(path: str) -> Iterator[LineBlock]:
    """Yield the lines of a file, about a MiB at a time; a byte order mark at its beginning is left out.

    Raises:
        InputError: the file cannot be read, holds nothing, is UTF-16, or has a line of more than 64 MiB;
            after the whole lines before.
    """
    number = 1
    empty = True
    with open_bytes(path) as stream:
        for data in _whole_lines(cast(BufferedReader, stream)):
            if number == 1:
                refuse_utf16(data, display_name(path))
                data = data.removeprefix(BOM)
            if len(data) > LINE_LIMIT and data.find(b"\n", 0, LINE_LIMIT + 1) < 0:
                what = f"a line of more than {LINE_LIMIT >> 20} MiB"
                raise InputError(display_name(path), number, what, "records in lines")
            if slab := LineBlock(number, data):
                empty = False
                yield slab
            number += data.count(b"\n")
    if empty:
        raise InputError(display_name(path), None, "is empty", "at least one record")


def _whole_lines(stream: BufferedReader) -> Iterator[bytes]:
    """Yield a stream in pieces that end where lines do; a line that is too long comes cut."""
    held: list[bytes] = []
    size = 0
    try:
        # read1, so that lines in a pipe are passed on when they come
        while piece := stream.read1(SLAB):
            held.append(piece)
            size += len(piece)
            if size >= SLAB:
                data = b"".join(held)
                end = data.rfind(b"\n") + 1
                # passed on cut, for the caller to report with its number
                if not end and size > LINE_LIMIT:
                    end = size
                if end:
                    yield data[:end]
                held, size = [data[end:]], size - end
    except Exception:  # a compressed stream is broken: what comes before is passed on
        whole, ended, _ = b"".join(held).rpartition(b"\n")
        if ended:
            yield whole + ended
        raise
    if size:
        yield b"".join(held)

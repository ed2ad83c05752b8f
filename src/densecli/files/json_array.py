"""The objects of one long JSON array, cut out of a byte stream one at a time."""

import re
from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from densecli.errors import FieldError
from densecli.files.streams import LINE_LIMIT

PIECE = 1 << 20

STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# The next bracket outside strings: before it stand strings that are whole, and no other bracket.
BRACKET = re.compile(rb'[^"{}\[\]]*+(?:%b[^"{}\[\]]*+)*+([{}\[\]])' % STRING, re.DOTALL)
SPACE = re.compile(rb"\s*")
SCALARS = rb"(?:%b\s*:\s*(?:%b|[^\s\"{}\[\],]++)\s*,\s*)*+" % (STRING, STRING)
BEGUN = re.compile(rb'\s*\{\s*%b(?:"data"\s*:)?\s*' % SCALARS, re.DOTALL)
OPENING = re.compile(rb'\s*\{\s*%b"data"\s*:\s*(?=\[)' % SCALARS, re.DOTALL)
CLOSING = re.compile(rb"(?:\s*,\s*%b\s*:\s*(?:%b|[^\s\"{}\[\],]++))*+\s*\}\s*" % (STRING, STRING), re.DOTALL)


class ArrayCutter:
    """Walks `[{...}, {...}]`, or `{..., "data": [{...}, {...}]}` as SQuAD has it.

    No more than one object and one piece of the stream is in memory. Only brackets are looked at; whether
    an object is valid JSON is for its parser to say.

    Attributes:
        line: the line on which the latest object begins, counted from 1.
    """

    def __init__(self, stream: BinaryIO, begun: bytes, line: int) -> None:
        """Take a stream of which `begun`, from `line` on, was read already."""
        self.line = self._reached = line
        self._stream = stream
        self._held = begun
        self._place = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield each object's bytes.

        Raises:
            FieldError: the array is cut off, or holds something that is no object, or more follows it.
        """
        wrapped = self._opening()
        for number in count(1):
            sign = self._sign()
            if sign == b"]" and number == 1:
                break
            if sign != b"{":
                raise FieldError(f"{self._shown()!r} in a JSON array", "objects, with commas between")
            yield self._object()
            sign = self._sign()
            if sign == b"]":
                break
            if sign != b",":
                raise FieldError(f"{self._shown()!r} after an object", "a comma, or the array's end")
            self._move(self._place + 1)
        self._move(self._place + 1)
        rest = self._held[self._place :]
        while len(rest) < PIECE and (more := self._stream.read(PIECE)):
            rest += more
        if (CLOSING if wrapped else SPACE).fullmatch(rest) is None:
            raise FieldError(f"{rest.strip()[:40].decode(errors='replace')!r} after the array", "its end")

    def _opening(self) -> bool:
        """Go to just after the array's bracket; return whether it stands under "data"."""
        found = OPENING.match(self._held)
        if found:
            self._move(found.end())
        self._sign()
        self._move(self._place + 1)
        return found is not None

    def _object(self) -> bytes:
        self.line = self._reached
        start, depth, scanned = self._place, 0, self._place
        while True:
            found = BRACKET.match(self._held, scanned)
            if found is None:
                start, scanned = 0, scanned - start
                self._grow()
                continue
            scanned = found.end()
            depth += 1 if found[1] in b"{[" else -1
            if not depth:
                whole = self._held[start:scanned]
                self._move(scanned)
                return whole

    def _sign(self) -> bytes:
        """Go to the next byte that is no space, and return it."""
        while True:
            self._move(SPACE.match(self._held, self._place).end())  # type: ignore[union-attr]
            if self._place < len(self._held):
                return self._held[self._place : self._place + 1]
            self._grow()

    def _grow(self) -> None:
        """Read on, as much again as is held, so that a long object is not copied too often."""
        self._held = self._held[self._place :]
        self._place = 0
        if len(self._held) > LINE_LIMIT:
            raise FieldError(f"an object of more than {LINE_LIMIT >> 20} MiB", "shorter ones")
        more = self._stream.read(max(PIECE, len(self._held)))
        if not more:
            raise FieldError("the JSON array is cut off", "the whole file")
        self._held += more

    def _move(self, place: int) -> None:
        self._reached += self._held.count(b"\n", self._place, place)
        self._place = place

    def _shown(self) -> str:
        return self._held[self._place : self._place + 40].decode(errors="replace")

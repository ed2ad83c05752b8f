"""The JSON objects of one long value, cut out of a byte stream one at a time.

Our own and not ijson, which is slower over the training examples of DPR (`benchmarks/arrays.py`), tells no
line of an object, stops at the first broken one, and makes `?` of a lone surrogate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO

import orjson

from densecli.errors import FieldError
from densecli.files.jsonl import parse_row
from densecli.files.streams import LINE_LIMIT

PIECE = 1 << 17
LOOKED_AHEAD = 1 << 22
"""Bytes in which the beginning of the next object is looked for, at most."""
LONGEST_KEY = 1 << 16
NESTED = 4
"""Depth up to which an object is cut out by one expression, twice as fast as bracket by bracket."""

STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# The next bracket outside strings: before it stand strings that are whole, and no other bracket.
FLAT = rb'[^"{}\[\]]*+(?:%b[^"{}\[\]]*+)*+' % STRING
BRACKET = re.compile(rb"%b([{}\[\]])" % FLAT, re.DOTALL)
SPACE = re.compile(rb"\s*")
KEY = re.compile(rb"(%b)\s*:\s*" % STRING, re.DOTALL)
SCALARS = rb"(?:%b\s*:\s*(?:%b|[^\s\"{}\[\],]++)\s*,\s*)*+" % (STRING, STRING)
BEGUN = re.compile(rb"\s*\{\s*%b(?:%b\s*:\s*)?[\[{]?\s*" % (SCALARS, STRING), re.DOTALL)
"""A line that begins an object, and does not end it."""
NEXT = re.compile(rb"(\s*,?\s*)\{\s*%b\s*:" % STRING, re.DOTALL)
"""What follows an object that is not the last one; mostly it is the same after each."""
CLOSING = re.compile(rb"(?:\s*,\s*%b\s*:\s*(?:%b|[^\s\"{}\[\],]++))*+\s*\}\s*" % (STRING, STRING), re.DOTALL)


def _nested(depth: int) -> bytes:
    """Return the pattern of brackets with others in them, up to a depth, whatever their kinds."""
    inner = rb"%b(?:%b%b)*+" % (FLAT, _nested(depth - 1), FLAT) if depth else FLAT
    return rb"[{\[]%b[}\]]" % inner


WHOLE = re.compile(_nested(NESTED), re.DOTALL)


@dataclass(frozen=True)
class Layout:
    """Where objects stand in a value.

    Attributes:
        opening: what comes before the first.
        end: the sign after the last one; none where a stream just ends.
        keyed: whether each has a key before it.
        rest: what may follow the end.
    """

    opening: re.Pattern[bytes]
    end: bytes
    keyed: bool = False
    rest: re.Pattern[bytes] = SPACE


ARRAY = Layout(re.compile(rb"\s*\["), b"]")
"""`[{...}, {...}]`."""
WRAPPED = Layout(
    re.compile(rb'\s*\{\s*%b"(?:data|questions|examples|results)"\s*:\s*\[' % SCALARS, re.DOTALL),
    b"]",
    rest=CLOSING,
)
"""`{..., "data": [{...}, {...}]}`, as SQuAD has it."""
NUMBERED = Layout(re.compile(rb'\s*\{\s*(?="\d+"\s*:\s*\{)'), b"}", keyed=True)
"""`{"0": {...}, "1": {...}}`, as Pyserini has it."""
STREAM = Layout(re.compile(rb"\s*(?=\{)"), b"")
"""`{...} {...}`, each over several lines, as `jq` prints them."""
ARRAY_BEGUN = re.compile(rb"\s*\[\s*(?:[{\]]|$)")


def layout_of(first: bytes, beginning: bytes) -> Layout | None:
    """Return the layout of a value that is no object on each line, or None.

    Args:
        first: the first line that is not blank.
        beginning: that line and more: what `is_begun` asks for.
    """
    if ARRAY_BEGUN.match(first):
        return ARRAY
    for layout in (WRAPPED, NUMBERED):
        if layout.opening.match(beginning):
            return layout
    return STREAM if is_begun(first) else None


def is_begun(first: bytes) -> bool:
    """Whether a line begins an object that ends on a later line."""
    return BEGUN.fullmatch(first) is not None


class ObjectCutter:
    """Walks the objects of a layout.

    No more than one object and one piece of the stream is in memory. An object ends where the next one seems
    to begin, if it parses so: the beginning of a JSON object is never one itself. Otherwise only brackets are
    looked at, and whether the object is valid JSON is for its parser to say.

    Attributes:
        line: the line on which the latest object begins, counted from 1.
        key: its key, where the layout has keys, with its quotes.
    """

    def __init__(self, stream: BinaryIO, begun: bytes, line: int, layout: Layout = ARRAY) -> None:
        """Take a stream of which `begun`, from `line` on, was read already."""
        self.line = self._reached = line
        self.key: bytes | None = None
        self._stream = stream
        self._held = begun
        self._place = 0
        self._layout = layout
        self._mark, self._gap = b"", 0
        self._latest = b""
        self._value: dict[str, Any] | None = None

    def parsed(self) -> dict[str, Any]:
        """Return the latest object.

        Raises:
            FieldError: it is not valid JSON.
        """
        return parse_row(self._latest) if self._value is None else self._value

    def __iter__(self) -> Iterator[bytes]:
        """Yield each object's bytes.

        Raises:
            FieldError: the value is cut off, or holds something that is no object, or more follows it.
        """
        end = self._layout.end
        self._begin()
        for number in count(1):
            sign = self._sign()
            if sign == end and (number == 1 or not end):
                break
            if self._layout.keyed:
                sign = self._keyed() if sign == b'"' else b""
            if sign != b"{":
                where = "in a JSON array" if end == b"]" else "among JSON objects"
                raise FieldError(
                    f"{self._shown()!r} {where}", "objects, with commas between", code="broken_json"
                )
            yield from self._guessed()
            yield self._object()
            if not end:
                continue
            sign = self._sign()
            if sign == end:
                break
            if sign != b",":
                raise FieldError(
                    f"{self._shown()!r} after an object", "a comma, or the array's end", code="broken_json"
                )
            self._move(self._place + 1)
        self._finish()

    def _begin(self) -> None:
        """Go to the first object."""
        found = self._layout.opening.match(self._held)
        if found is None:
            self._sign()
        self._move(found.end() if found else self._place + 1)

    def _finish(self) -> None:
        """Check what follows the last object."""
        self._move(self._place + len(self._layout.end))
        rest = self._held[self._place :]
        while len(rest) < PIECE and (more := self._stream.read(PIECE)):
            rest += more
        if self._layout.rest.fullmatch(rest) is None:
            raise FieldError(
                f"{rest.strip()[:40].decode(errors='replace')!r} after the array",
                "its end",
                code="broken_json",
            )

    def _keyed(self) -> bytes:
        """Go to after the key of an object, and return the sign there."""
        while True:
            found = KEY.match(self._held, self._place)
            if found and found.end() < len(self._held):
                self.key = found[1]
                self._move(found.end())
                return self._sign()
            if len(self._held) - self._place > LONGEST_KEY:
                return b""
            self._grow()

    def _guessed(self) -> Iterator[bytes]:
        """Yield objects for as long as what followed an earlier one follows them."""
        while self._mark:
            reach = min(4 * len(self._latest) + (1 << 12), LOOKED_AHEAD)
            while (end := self._held.find(self._mark, self._place, self._place + reach) + 1) <= 0:
                if len(self._held) - self._place >= reach or not self._grow(may_end=True):
                    return
            data = self._held[self._place : end]
            try:
                self._value = orjson.loads(data)
            except orjson.JSONDecodeError:
                return
            self.line = self._reached
            self._latest = data
            self._move(end + self._gap)
            yield data

    def _object(self) -> bytes:
        """Return the object up to the bracket that closes it."""
        self._value = None
        self.line = self._reached
        self._latest = self._closed()
        found = NEXT.match(self._held, self._place)
        self._mark, self._gap = (b"}" + found[0], len(found[1])) if found else (b"", 0)
        return self._latest

    def _closed(self) -> bytes:
        start, depth, scanned = self._place, 0, self._place
        if whole := WHOLE.match(self._held, start):
            self._move(whole.end())
            return whole[0]
        while True:
            found = BRACKET.match(self._held, scanned)
            if found is None:
                start, scanned = 0, scanned - start
                self._grow()
                continue
            scanned = found.end()
            depth += 1 if found[1] in b"{[" else -1
            if not depth:
                data = self._held[start:scanned]
                self._move(scanned)
                return data

    def _sign(self) -> bytes:
        """Go to the next byte that is no space, and return it; nothing where the stream may end here."""
        while True:
            self._move(SPACE.match(self._held, self._place).end())  # type: ignore[union-attr]
            if self._place < len(self._held):
                return self._held[self._place : self._place + 1]
            if not self._grow(may_end=not self._layout.end):
                return b""

    def _grow(self, may_end: bool = False) -> bool:
        """Read on, as much again as is held, so that a long object is not copied too often."""
        self._held = self._held[self._place :]
        self._place = 0
        if len(self._held) > LINE_LIMIT:
            raise FieldError(
                f"an object of more than {LINE_LIMIT >> 20} MiB", "shorter ones", code="too_large"
            )
        more = self._stream.read(max(PIECE, len(self._held)))
        if not more and not may_end:
            what = "the JSON array" if self._layout.end == b"]" else "a JSON object"
            raise FieldError(f"{what} is cut off", "the whole file", code="broken_json")
        self._held += more
        return bool(more)

    def _move(self, place: int) -> None:
        self._reached += self._held.count(b"\n", self._place, place)
        self._place = place

    def _shown(self) -> str:
        return self._held[self._place : self._place + 40].decode(errors="replace")

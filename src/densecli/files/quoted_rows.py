"""Rows of a quoted table out of lines: a row continues on the next line while a quote is open.

Our own, because the csv module takes a stray quote as the start of a field and swallows all lines up to the
next one; real question files have such quotes.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from densecli.files.streams import LINE_LIMIT

Line = tuple[int, bytes]
# Possessive (++, *+): without backtracking, so that a long broken row takes linear time.
FIELD = r'(?:"(?:[^"]++|"")*+"[^{0}]*+|(?!")[^{0}]*+)'
MORE = "(?:{0}" + FIELD + ")*+"
ROW = {mark: (FIELD + MORE).replace("{0}", mark).encode() for mark in "\t,"}
REST = {mark: ('(?:[^"]++|"")*+"[^{0}]*+' + MORE).replace("{0}", mark).encode() for mark in ROW}
"""A whole row, and what completes one whose last field is still within quotes."""
UNCLOSED = "a quote is opened and not closed"


def is_whole(row: bytes, mark: str) -> bool:
    """Whether every quote that a row opens is closed in it."""
    return b'"' not in row or re.fullmatch(ROW[mark], row) is not None


def quoted_rows(lines: Iterable[Line], mark: str, sound: Callable[[bytes], bool]) -> Iterator[Line]:
    """Yield `(line it begins on, row)`, the row with its line ends; blank lines between rows are skipped.

    A quote that is opened by mistake would take in all lines up to the next one. So where a row of several
    lines is not sound, has no end, or is longer than any record, each of its lines is a row.

    Args:
        lines: `(number, line)`, the line with its end.
        mark: what parts fields, a tab or a comma.
        sound: whether several lines really are one row.
    """
    held: list[Line] = []
    size = 0
    for number, line in lines:
        if held:
            size += len(line)
            held.append((number, line))
            if b'"' in line and re.fullmatch(REST[mark], line):
                row = b"".join(part for _, part in held)
                yield from [(held[0][0], row)] if sound(row) else _alone(held)
                held = []
            elif size > LINE_LIMIT:
                yield from _alone(held)
                held = []
        elif not is_whole(line, mark):
            size = len(line)
            held = [(number, line)]
        elif not line.isspace():
            yield number, line
    yield from _alone(held)


def _alone(held: list[Line]) -> Iterator[Line]:
    return ((number, line) for number, line in held if not line.isspace())

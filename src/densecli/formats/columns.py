"""Lines of columns, parted by tabs where there are any, else by spaces."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from densecli.errors import FieldError
from densecli.fields import text_field
from densecli.files.utf8 import decode_utf8
from densecli.formats.documents import Document

T = TypeVar("T")
Columns = Sequence[str]


def split(line: bytes) -> list[str]:
    """Return a line's columns.

    Raises:
        FieldError: it is not UTF-8, or holds a NUL character.
    """
    text = text_field({"line": decode_utf8(line)}, "line")
    # ids may hold spaces where tabs part the columns
    return [part.strip(" ") for part in text.split("\t")] if "\t" in text else text.split()


def table(document: Document, parse: Callable[[Columns], T], header: Columns = ()) -> Iterator[tuple[int, T]]:
    """Yield `(line, record)`; each line has as many columns as the first.

    Raises:
        InputError: a line has another number of columns, or one that is not what it should be.
    """
    width = len(split(document.first))
    for number, line in document.lines():
        try:
            columns = split(line)
            if len(columns) != width:
                raise FieldError(
                    f"another number of columns ({len(columns)})",
                    f"{width} as in the first line",
                    code="wrong_number_of_columns",
                )
            if not all(columns):
                raise FieldError("an empty column", "none", code="empty_field")
            if columns == header:
                continue
            found = parse(columns)
        except FieldError as error:
            document.refuse(error, number)
        else:
            yield number, found


def whole_number(text: str, name: str) -> int:
    """Return a column as a whole number.

    Raises:
        FieldError: it is not a number, or has more than 9 digits.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise FieldError(f"{name} {text!r:.40}", "a whole number", code="wrong_value")
    return int(text)


def column(text: str) -> str:
    """Return an id that can be a column between spaces.

    Raises:
        FieldError: the id is empty or holds a space.
    """
    if text.split() != [text]:
        raise FieldError(
            f"id {text!r:.60} is empty or holds a space", "ids without spaces", code="empty_field"
        )
    return text


def join_columns(*texts: str) -> bytes:
    """Return a line of columns with tabs between.

    Raises:
        FieldError: one is empty, begins or ends with a space, or holds a tab or a line end.
    """
    for text in texts:
        if not text.strip() or text != text.strip(" ") or not {"\t", "\n", "\r", "\0"}.isdisjoint(text):
            what = f"id {text!r:.60} is empty, has spaces around it, or holds a tab or a line end"
            raise FieldError(what, "ids without spaces", code="wrong_value")
    return "\t".join(texts).encode() + b"\n"

"""Collections without a header: MS MARCO's `id` and `text`, ColBERT's `id`, `text` and `title`."""

import re
from functools import partial
from itertools import chain

from densecli.corpus.source import Source, line_source
from densecli.errors import FieldError
from densecli.fields import text_field
from densecli.files.line_blocks import read_slabs
from densecli.files.utf8 import decode_utf8
from densecli.records import Passage

FIRST = re.compile(rb"\d+\t([^\t\r\n]*[^\t\r\n\d.][^\t\r\n]*)(?:\t([^\t\r\n]*))?(?:\r?\n|\Z)")
WIDTHS = {2: "an id and a text", 3: "an id, a text and a title"}


def is_collection(head: bytes) -> bool:
    """Whether a file begins with a number and a text, or with a title that is no longer than the text."""
    found = FIRST.match(head)
    # the third column is a title only if it is the shorter one; a table of two texts is no collection
    return found is not None and len(found[2] or b"") <= len(found[1])


def collection_source(path: str) -> Source:
    """Open a collection: a passage on each line. There is no quoting in such files.

    Raises:
        InputError: it is missing or empty.
    """
    slabs = read_slabs(path)
    first = next(slabs)
    _, line = next(iter(first))
    return line_source(path, chain([first], slabs), partial(parse_line, line.count(b"\t") + 1))


def parse_line(width: int, line: bytes) -> Passage:
    """Return the passage in a line.

    Args:
        width: columns of the first line.
        line: without its end.

    Raises:
        FieldError: not UTF-8, no id, or another number of columns.
    """
    columns = decode_utf8(line).split("\t")
    if len(columns) != width or width not in WIDTHS:
        expected = WIDTHS.get(width, " or ".join(WIDTHS.values()))
        raise FieldError(
            f"another number of columns ({len(columns)})",
            f"{expected}, with tabs between",
            code="wrong_number_of_columns",
        )
    if not columns[0].strip():
        raise FieldError("an empty id", "an id", code="empty_field")
    fields = dict(zip(("id", "text", "title"), columns, strict=False))
    return Passage(columns[0].strip(), text_field(fields, "title", ""), text_field(fields, "text"))

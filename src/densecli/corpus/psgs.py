"""psgs_w100.tsv, the passages that DPR published: `id`, `text`, `title`, with tabs between."""

import re
from collections.abc import Iterable
from functools import partial
from typing import BinaryIO

from densecli.corpus.columns import Columns
from densecli.corpus.source import Source
from densecli.corpus.tables import parse_row, raw_rows, read_header
from densecli.errors import InputError
from densecli.files.streams import display_name
from densecli.records import Passage

HEADER = ("id", "text", "title")
COLUMNS = Columns(ids=HEADER[:1], texts=HEADER[1:2], whole=True, id_hint="", text_hint="")
NEEDS_QUOTES = re.compile('[\t\n\r"]')


def psgs_source(path: str) -> Source:
    """Open a file in the form of psgs_w100.tsv. Quotes at the ends of texts stay, unlike in DPR 1.0.

    Raises:
        InputError: it is missing or empty, or has another header.
    """
    rows = raw_rows(path, "\t")
    header = read_header(path, "\t", rows)
    if tuple(header) != HEADER:
        raise InputError(
            display_name(path),
            1,
            f"the header is {'|'.join(header)[:60]!r}",
            "id, text, title, with tabs between",
        )
    return Source(display_name(path), rows, partial(parse_row, "\t", HEADER, COLUMNS))


def write_psgs(passages: Iterable[Passage], stream: BinaryIO) -> int:
    """Write passages in the canonical form of psgs_w100.tsv; return how many.

    A header; lines end in a line feed; a field is quoted, and double quotes in it are doubled, only if it has
    a tab, a line end or a double quote. Reading that gives the same passages, and writing them the same
    bytes.
    """
    stream.write("\t".join(HEADER).encode() + b"\n")
    count = 0
    for passage in passages:
        stream.write(f"{_quote(passage.id)}\t{_quote(passage.text)}\t{_quote(passage.title)}\n".encode())
        count += 1
    return count


def _quote(field: str) -> str:
    return f'"{field.replace(chr(34), chr(34) * 2)}"' if NEEDS_QUOTES.search(field) else field

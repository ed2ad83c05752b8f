"""What WikiExtractor writes: JSON lines, or articles between `<doc …>` and `</doc>`, in files or folders."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

from densecli.corpus.source import Dropped, Parsed, Source, line_source
from densecli.errors import FieldError, InputError
from densecli.fields import id_field, text_field
from densecli.files.jsonl import parse_row
from densecli.files.line_blocks import read_slabs
from densecli.files.streams import BOM, LINE_LIMIT, display_name, lines, open_bytes, peek
from densecli.files.utf8 import decode_utf8
from densecli.records import Article

OPENING = re.compile(r'<doc id="([^"]*)"(?: revid="[^"]*")?(?: url="[^"]*")? title="(.*)">\s*')
FORMS = "WikiExtractor's output: JSON lines, or <doc id= url= title=> … </doc>"


class Extract(NamedTuple):
    """One undecoded article in a folder; `file` and `line` are its place.

    `fault` says what is wrong with the rest of the file, and what is expected instead.
    """

    data: bytes
    file: str
    line: int | None
    fault: tuple[str, str] | None = None


def read_extracted(path: str) -> Source:
    """Open a file of WikiExtractor's, or a folder of them such as `text/AA/wiki_00`; `-` is standard input.

    To walk the raw records raises InputError where a file is empty, or something else.

    Raises:
        InputError: the file is missing or damaged.
    """
    folder = Path(path)
    if folder.is_dir():
        return Source(path, _in_folder(folder), parse_extract)
    if _begins_with_json(path):
        return line_source(path, read_slabs(path), parse_article)
    return Source(display_name(path), _extracts(path), parse_article)


def _begins_with_json(path: str) -> bool:
    """Whether a file does; a pipe with a name could not be read again after a look."""
    if Path(path).is_fifo():
        return False
    with open_bytes(path) as stream:
        return peek(stream).removeprefix(BOM).lstrip().startswith(b"{")


def parse_extract(extract: Extract) -> Parsed:
    """Return one article of a folder, as `parse_article` does."""
    try:
        if extract.fault:
            raise FieldError(*extract.fault, code="damaged_file")
        return parse_article(extract.data)
    except FieldError as error:
        raise FieldError(error.what, error.expected, (extract.file, extract.line), code=error.code) from None


def parse_article(data: bytes) -> Parsed:
    """Return one article; its title is no part of its text.

    Raises:
        FieldError: broken JSON, no id, or not UTF-8.
    """
    is_doc = data.startswith(b"<doc ")
    article_id, title, text = _from_doc(data) if is_doc else _from_json(data)
    text = unescape(text).strip()
    if text.startswith(title):
        head, _, rest = text.partition("\n")
        text = rest.lstrip() if head == title and (rest or is_doc) else text
    return Article(article_id, title, text) if text else Dropped("without_text")


def _from_json(data: bytes) -> tuple[str, str, str]:
    row = parse_row(data)
    return id_field(row, "id"), text_field(row, "title", ""), text_field(row, "text")


def _from_doc(data: bytes) -> tuple[str, str, str]:
    head, _, body = decode_utf8(data).partition("\n")
    opening = OPENING.fullmatch(head)
    if opening is None:
        raise FieldError(f"begins with {head[:60]!r}", '<doc id="…" url="…" title="…">', code="wrong_format")
    return opening[1], unescape(opening[2]), body


def _in_folder(folder: Path) -> Iterator[tuple[None, Extract]]:
    files = sorted(path for path in folder.rglob("wiki_*") if path.is_file())
    if not files:
        raise InputError(folder, None, "no file of WikiExtractor in it", "wiki_00 and so on")
    for file in map(str, files):
        try:
            for line, data in _extracts(file):
                yield None, Extract(data, file, line)
        except InputError as error:  # one file; those after it may be whole
            yield None, Extract(b"", file, error.line, (error.what, error.expected))
        except OSError as error:
            yield None, Extract(b"", file, None, (f"cannot be read ({error.strerror})", "a readable file"))


def _extracts(path: str) -> Iterator[tuple[int, bytes]]:
    begun, size = 0, 0
    held: list[bytes] = []
    name = display_name(path)
    number = 0
    with open_bytes(path) as stream:
        for number, line in enumerate(lines(stream, name), 1):
            if held:
                if line.rstrip() == b"</doc>":
                    yield begun, b"".join(held)
                    held = []
                    continue
                held.append(line)
                size += len(line)
                if size > LINE_LIMIT:
                    raise InputError(name, begun, f"an article of more than {LINE_LIMIT >> 20} MiB", FORMS)
            elif line.startswith(b"<doc "):
                begun, size, held = number, 0, [line]
            elif line.startswith(b"{"):
                yield number, line.rstrip()
            elif line.strip():
                raise InputError(name, number, f"begins with {line[:40].decode(errors='replace')!r}", FORMS)
    if held:
        raise InputError(name, begun, "no </doc> for this article", "the whole file")
    if not number:
        raise InputError(name, None, "is empty", FORMS)

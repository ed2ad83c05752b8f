"""What WikiExtractor writes: JSON lines, or articles between `<doc …>` and `</doc>`, in files or folders."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

from densecli.errors import FieldError, InputError
from densecli.io.corpora.source import Dropped, Parsed, Source
from densecli.io.jsonl import parse_row
from densecli.io.streams import lines, open_bytes, told
from densecli.records import Article

OPENING = re.compile(r'<doc id="([^"]*)"(?: revid="[^"]*")?(?: url="[^"]*")? title="(.*)">\s*')
LONGEST = 1 << 26
FORMS = "WikiExtractor's output: JSON lines, or <doc id= url= title=> … </doc>"


class Extract(NamedTuple):
    """One undecoded article in a folder; `file` and `line` tell where."""

    data: bytes
    file: str
    line: int


def read_extracted(path: str) -> Source:
    """Open a file of WikiExtractor's, or a folder of them such as `text/AA/wiki_00`; `-` is standard input.

    To walk the raw records raises InputError where a file is missing, empty, or something else.
    """
    folder = Path(path)
    if folder.is_dir():
        return Source(path, _in_folder(folder), parse_extract)
    return Source(told(path), _extracts(path), parse_article)


def parse_extract(extract: Extract) -> Parsed:
    """Return one article of a folder, as `parse_article` does."""
    try:
        return parse_article(extract.data)
    except FieldError as error:
        raise FieldError(f"{error.what} ({extract.file}:{extract.line})", error.expected) from None


def parse_article(data: bytes) -> Parsed:
    """Return one article; its title is no part of its text.

    Raises:
        FieldError: broken JSON, no id, or not UTF-8.
    """
    article = _from_doc(data) if data.startswith(b"<doc ") else _from_json(data)
    text = unescape(article.text).strip()
    head, _, rest = text.partition("\n")
    text = rest.lstrip() if rest and head == article.title else text
    return Article(article.id, article.title, text) if text else Dropped("without_text")


def _from_json(data: bytes) -> Article:
    return Article.from_json(parse_row(data))


def _from_doc(data: bytes) -> Article:
    try:
        head, _, body = data.decode().partition("\n")
    except UnicodeDecodeError:
        raise FieldError("not UTF-8", "UTF-8 text") from None
    opening = OPENING.fullmatch(head)
    if opening is None:
        raise FieldError(f"begins with {head[:60]!r}", '<doc id="…" url="…" title="…">')
    return Article(opening[1], unescape(opening[2]), body)


def _in_folder(folder: Path) -> Iterator[tuple[None, Extract]]:
    files = sorted(path for path in folder.rglob("wiki_*") if path.is_file())
    if not files:
        raise InputError(folder, None, "no file of WikiExtractor in it", "wiki_00 and so on")
    for file in files:
        shown = str(file.relative_to(folder))
        for line, data in _extracts(str(file)):
            yield None, Extract(data, shown, line)


def _extracts(path: str) -> Iterator[tuple[int, bytes]]:
    begun, size = 0, 0
    held: list[bytes] = []
    name = told(path)
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
                if size > LONGEST:
                    raise InputError(name, begun, f"an article of more than {LONGEST >> 20} MiB", FORMS)
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

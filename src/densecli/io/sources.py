"""Corpora: which reader a path needs, and the readers of JSONL, psgs TSV and text folders."""

import csv
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from densecli.errors import FieldError, InputError
from densecli.fields import Json, text_field
from densecli.io.jsonl import STDIN, open_bytes, read_records
from densecli.records import Article, Passage

TEXT_ENDINGS = {".txt", ".md"}
PSGS_COLUMNS = ["id", "text", "title"]


def read_sources(paths: Iterable[str], format: str = "auto") -> Iterator[Article | Passage]:
    """Yield the records of several corpora one after the other.

    Args:
        paths: files, folders or `-`.
        format: `jsonl`, `psgs`, `folder`, or `auto`, which goes by the kind and name of the path.

    Raises:
        InputError: a path is missing, empty, or not what its name says.
    """
    for path in paths:
        kind = sniff(path) if format == "auto" else format
        if kind == "folder":
            yield from read_folder(Path(path))
        elif kind == "psgs":
            yield from read_psgs(path)
        else:
            yield from read_records(path, _article)


def sniff(path: str) -> str:
    """Return the form of a corpus by the kind and name of its path."""
    if Path(path).is_dir():
        return "folder"
    return "psgs" if path.removesuffix(".gz").endswith(".tsv") else "jsonl"


def _article(row: Json, _line: str) -> Article:
    return Article.from_json(row)


def read_psgs(path: str) -> Iterator[Passage]:
    """Yield the passages of a TSV in the form of psgs_w100: `id`, `text`, `title`, csv quoting.

    Raises:
        InputError: no such header, another number of fields in a row, or not UTF-8.
    """
    name = "stdin" if path == STDIN else path
    csv.field_size_limit(sys.maxsize)
    with open_bytes(path) as stream:
        lines = (line.decode("utf-8" if number else "utf-8-sig") for number, line in enumerate(stream))
        rows = csv.reader(lines, delimiter="\t", strict=True)
        begun = 1
        try:
            header = next(rows, None)
            if header is None:
                raise InputError(name, None, "is empty", "a header and at least one passage")
            if header != PSGS_COLUMNS:
                raise FieldError(
                    f"the header is {'|'.join(header)[:60]!r}", "id, text, title, with tabs between"
                )
            begun = rows.line_num + 1
            for row in rows:
                if row:
                    yield _passage(row)
                begun = rows.line_num + 1
        except UnicodeDecodeError:
            raise InputError(name, rows.line_num + 1, "not UTF-8", "UTF-8 text") from None
        except FieldError as error:
            raise InputError(name, begun, error.what, error.expected) from None
        except csv.Error as error:
            raise InputError(
                name, begun, f"not a TSV ({error})", "tabs, and quotes as csv has them"
            ) from None


def _passage(row: list[str]) -> Passage:
    if len(row) != len(PSGS_COLUMNS):
        raise FieldError(f"{len(row)} fields", "3: id, text, title")
    fields = dict(zip(PSGS_COLUMNS, row, strict=True))
    return Passage(*(text_field(fields, column) for column in ("id", "title", "text")))


def read_folder(folder: Path) -> Iterator[Article]:
    """Yield one article for each .txt and .md file below a folder, in order of their names.

    The id is the path below the folder; the title is a Markdown file's first heading, else the
    file's name without its ending.

    Raises:
        InputError: no such file in the folder, or a file that is not UTF-8 text.
    """
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in TEXT_ENDINGS and path.is_file()
    )
    if not files:
        raise InputError(folder, None, "no .txt or .md file in it", "at least one")
    for path in files:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(path, None, "not UTF-8", "UTF-8 text") from None
        if "\0" in text:
            raise InputError(path, None, "holds a NUL character", "text")
        title = path.stem
        head, _, rest = text.lstrip().partition("\n")
        if path.suffix.lower() == ".md" and head.startswith("# "):
            title, text = head[2:].strip(), rest
        try:
            name = os.fsencode(path.relative_to(folder)).decode()
        except UnicodeDecodeError:
            raise InputError(path, None, "its name is not UTF-8", "UTF-8 names") from None
        yield Article(name, title, text)

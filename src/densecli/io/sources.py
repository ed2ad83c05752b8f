"""Corpora: which reader a path needs, and the readers of JSONL, psgs TSV and text folders."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from densecli.errors import FieldError, InputError
from densecli.io.jsonl import STDIN, open_bytes, read_records
from densecli.records import Article, Json, Passage, text_field

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
        rows = csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), delimiter="\t")
        try:
            header = next(rows, None)
            if header is None:
                raise InputError(name, None, "is empty", "a header and at least one passage")
            if header != PSGS_COLUMNS:
                found = "\t".join(header)
                raise InputError(
                    name, 1, f"the header is {found[:60]!r}", "id, text, title separated by tabs"
                )
            for row in rows:
                if len(row) != len(PSGS_COLUMNS):
                    raise InputError(name, rows.line_num, f"{len(row)} fields", "3: id, text, title")
                fields = dict(zip(PSGS_COLUMNS, row, strict=True))
                texts = (text_field(fields, column) for column in ("id", "title", "text"))
                yield Passage(*texts)
        except UnicodeDecodeError:
            raise InputError(name, rows.line_num + 1, "not UTF-8", "UTF-8 text") from None
        except FieldError as error:
            raise InputError(name, rows.line_num, error.what, error.expected) from None
        except csv.Error as error:
            raise InputError(name, rows.line_num, f"not a TSV ({error})", "csv quoting with tabs") from None


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
        yield Article(path.relative_to(folder).as_posix(), title, text)

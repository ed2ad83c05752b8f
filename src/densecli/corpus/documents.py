"""Folders of documents: plain text and Markdown, and HTML and PDF where their libraries are installed."""

import os
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.bounded import read_bounded, read_document
from densecli.corpus.source import Dropped, Parsed, Source
from densecli.errors import ArtifactError, FieldError, InputError
from densecli.files.folders import visible_entries
from densecli.files.urls import is_remote
from densecli.records import Article

# Bytes of a document; read as a whole, with a parser's tree of several times its size.
LARGEST = 256 << 20
READERS = {
    ".txt": "densecli.corpus.text",
    ".md": "densecli.corpus.markdown",
    ".markdown": "densecli.corpus.markdown",
    ".html": "densecli.corpus.html",
    ".htm": "densecli.corpus.html",
    ".pdf": "densecli.corpus.pdf",
}
"""The module that reads each kind of file, loaded when there is one."""
EXTRAS = {".html": "selectolax", ".htm": "selectolax", ".pdf": "pypdf"}
"""What needs a library that only `densecli[documents]` brings."""
QUICK = 16 << 10
"""Bytes that every parser but that of PDF is through with at once, whatever they are."""
SECONDS = PreprocessConfig.document_seconds


class Document(NamedTuple):
    """A file; `id` is its path below the folder, where it is one that is read.

    `fault` says why a file or folder cannot be read.
    """

    path: str
    id: str
    size: int
    fault: str = ""


def read_folder(path: str, seconds: int = SECONDS, label: str = "") -> Source:
    """Open a folder of text, Markdown, HTML and PDF, in the order of names; or a single such file.

    An article's id is the path below the folder. Its title is what the document says, else the file's name
    without its ending.

    Args:
        path: of the folder, or of one file.
        seconds: of processor time that a document may take.
        label: what goes before the ids of the articles.

    Raises:
        InputError: there is no such path, no document in the folder, or the file is not one.
        ArtifactError: a document needs a library that is not installed.
    """
    readable = (document for document in _documents(path) if _ending(document.path) in READERS)
    if next(readable, None) is None:
        raise InputError(path, None, f"no {', '.join(READERS)} file in it", "at least one")
    missing = {ending for ending, library in EXTRAS.items() if find_spec(library) is None}
    needy = (document.path for document in _documents(path) if missing and _ending(document.path) in missing)
    if first := next(needy, None):
        others = sum(1 for _ in needy)
        files = f"{first} and {others} more" if others else first
        raise ArtifactError(
            f"{files}: {EXTRAS[_ending(first)]} is not installed; install it, too (pip install"
            f" {EXTRAS[_ending(first)]})"
        )
    parse = partial(parse_document, seconds=seconds, label=label)
    return Source(path, ((None, document) for document in _documents(path)), parse, _size)


def parse_document(document: Document, seconds: int = SECONDS, label: str = "") -> Parsed:
    """Return the article in a file; one of another kind than READERS names is dropped.

    Raises:
        FieldError: the file cannot be read, is too large, takes too long, or is not what its name says.
    """
    try:
        if document.fault:
            raise FieldError(document.fault, "readable files with UTF-8 names", code="unreadable_file")
        if _ending(document.path) not in READERS:
            return Dropped("of_another_kind")
        if document.size > LARGEST:
            raise FieldError(f"a document of more than {LARGEST >> 20} MiB", "smaller ones", code="too_large")
        title, text = _read(document, seconds)
        # Arrow stores it, but C libraries and other programs end a text there
        if "\0" in title + text:
            raise FieldError("holds a NUL character", "text", code="bad_character")
    except FieldError as error:
        raise FieldError(error.what, error.expected, (document.path, None), code=error.code) from None
    except OSError as error:
        expected = f"a readable file; {error.strerror}"
        raise FieldError("cannot be read", expected, (document.path, None), code="unreadable_file") from None
    return Article(label + document.id, title, text)


def _read(document: Document, seconds: int) -> tuple[str, str]:
    ending = _ending(document.path)
    if ending == ".txt" or (ending != ".pdf" and document.size <= QUICK):
        return read_document(READERS[ending], document.path)
    return read_bounded(READERS[ending], document.path, seconds)


def _documents(path: str) -> Iterator[Document]:
    root = Path(path)
    if root.is_file() and _ending(path) not in READERS:
        raise InputError(path, None, "is no document", f"{', '.join(READERS)}, not compressed")
    if root.is_file():
        yield _document(root, root.parent)
    elif root.is_dir():
        yield from _below(root, root)
    elif is_remote(path):
        raise InputError(path, None, "is a document at a URL", "a copy of it on this machine")
    else:
        raise InputError(path, None, "no such file or folder", "an existing one")


def _below(folder: Path, root: Path) -> Iterator[Document]:
    """Walk a folder in the order of names, with no more in memory than the folders that are open."""
    try:
        entries = visible_entries(folder)
    except OSError as error:
        if folder == root:
            raise
        yield Document(str(folder), "", 0, f"cannot be listed ({error.strerror})")
        return
    for entry in entries:
        if entry.is_dir():
            yield from _below(Path(entry.path), root)
        else:
            yield _document(Path(entry.path), root)


def _document(file: Path, root: Path) -> Document:
    if _ending(file.name) not in READERS:
        return Document(str(file), "", 0)
    name = os.fsencode(file.relative_to(root).as_posix())
    try:
        return Document(str(file), name.decode(), file.stat().st_size)
    except UnicodeDecodeError:
        return Document(str(file), "", 0, "the name is not UTF-8")
    except OSError as error:
        return Document(str(file), "", 0, f"cannot be read ({error.strerror})")


def _ending(name: str) -> str:
    return Path(name).suffix.lower()


def _size(document: Document) -> int:
    return document.size

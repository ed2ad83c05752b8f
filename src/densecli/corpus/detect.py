"""Which form a corpus has, by its content and its name; and the reader of that form."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from densecli.configs.corpus import PreprocessConfig
from densecli.configs.setting import flag
from densecli.corpus.columns import IDS, TEXTS, Columns
from densecli.corpus.documents import READERS as DOCUMENTS
from densecli.corpus.psgs import HEADER
from densecli.corpus.source import Dropped, Source
from densecli.errors import InputError, UsageError
from densecli.files.streams import BOM, display_name, open_bytes, packing, peek

ROWS, TABLES = "densecli.corpus.json_records", "densecli.corpus.tables"
READERS = {
    "jsonl": (ROWS, "jsonl_source"),
    "json": (ROWS, "json_source"),
    "beir": (ROWS, "jsonl_source"),
    "tevatron": (ROWS, "jsonl_source"),
    "tsv": (TABLES, "tsv_source"),
    "csv": (TABLES, "csv_source"),
    "parquet": ("densecli.corpus.parquet", "parquet_source"),
    "psgs": ("densecli.corpus.psgs", "psgs_source"),
    "folder": ("densecli.corpus.documents", "read_folder"),
    "wiki-dump": ("densecli.corpus.wikipedia.dump", "read_dump"),
    "wikiextractor": ("densecli.corpus.wikipedia.extractor", "read_extracted"),
}
"""Where each form is read: by name, so that only what is read loads its libraries."""
NAMED_COLUMNS = {"jsonl", "json", "tsv", "csv", "parquet"}
OWN_COLUMNS = {"beir": Columns(ids=("_id",), whole=True), "tevatron": Columns(ids=("docid",), whole=True)}
CUTTING = ("words", "stride", "tail", "min_words")
"""What has an effect on articles only."""
LINES = {"jsonl", "beir", "tevatron", "wikiextractor"}
NAMES = {
    ".jsonl": LINES,
    ".ndjson": LINES,
    ".json": {"json", *LINES},
    ".tsv": {"tsv", "psgs"},
    ".csv": {"csv"},
    ".parquet": {"parquet"},
    ".xml": {"wiki-dump"},
}
"""The forms that a name allows; the first of `DEFAULTS` among them where the content does not tell."""
DEFAULTS = ("json", "jsonl", "tsv", "csv", "parquet", "wiki-dump")
EXTRACTED = re.compile(rb'\{"id": "\d+", (?:"revid": "\d*", )?"url": "[^"]*\?curid=\d+", "title": ')
WHOLE = re.compile(rb'\{\s*"(_id|docid)"\s*:')


def open_sources(paths: Iterable[str], config: PreprocessConfig) -> Iterator[Source]:
    """Open several corpora, each when it is its turn.

    Raises:
        InputError: a path is missing or empty, or its form is not clear. Where `config.on_error` is `skip`
            it comes with the records of that source, so that the others are still read.
        UsageError: a column is named for a form that has its own, or the only corpus holds passages, and it
            is said how they are cut.
    """
    given = list(paths)
    for path in given:
        try:
            form = sniff(path) if config.input_format == "auto" else config.input_format
            if len(given) == 1:
                _check_cutting(path, form, config)
            source = open_source(path, form, config)
        except InputError as error:
            if config.on_error == "stop":
                raise
            source = Source(display_name(path), _broken(error), Dropped)
        yield source


def _check_cutting(path: str, form: str, config: PreprocessConfig) -> None:
    usual = PreprocessConfig()
    changed = [name for name in CUTTING if getattr(config, name) != getattr(usual, name)]
    if changed and form in ("psgs", *OWN_COLUMNS):
        option = flag(PreprocessConfig, changed[0])
        raise UsageError(
            f"{display_name(path)}: {form} holds passages, which are not cut again: {option} has no effect"
        )


def _broken(error: InputError) -> Iterator[tuple[int | None, Any]]:
    """Raise what is wrong with a corpus where its records would be."""
    yield from ()
    raise error


def open_source(path: str, form: str, config: PreprocessConfig) -> Source:
    """Open one corpus of a known form."""
    if form != "folder" and Path(path).is_dir():
        path = _within(path, form)
    module, function = READERS[form]
    read = getattr(import_module(module), function)
    if form in OWN_COLUMNS:
        source = read(path, replace(OWN_COLUMNS[form], make_ids=config.make_ids))
    elif form in NAMED_COLUMNS:
        source = read(path, columns_of(config))
    elif form == "folder":
        source = read(path, config.document_seconds)
    else:
        source = read(path)
    if form not in NAMED_COLUMNS and (config.id_column or config.title_column or config.text_column):
        raise UsageError(f"{display_name(path)}: has the form {form}, where naming columns has no effect")
    assert isinstance(source, Source)
    return source


def columns_of(config: PreprocessConfig) -> Columns:
    """Return the columns that the options name, and those that are looked for where they name none."""
    return Columns(
        (config.id_column,) if config.id_column else IDS,
        config.title_column or "title",
        (config.text_column,) if config.text_column else TEXTS,
        config.make_ids,
        title_named=config.title_column is not None,
    )


def _within(path: str, form: str) -> str:
    """Return the corpus in a folder of the BEIR kind."""
    for name in ("corpus.jsonl", "corpus.jsonl.gz"):
        if form == "beir" and (Path(path) / name).is_file():
            return str(Path(path) / name)
    return path


def sniff(path: str) -> str:
    """Return the form of a corpus.

    Its first bytes tell it; the name tells it where they do not. Of a pipe that has a name only that name is
    looked at.

    Raises:
        InputError: the path is missing or damaged, the form is none of ours, or name and content disagree.
    """
    if Path(path).is_dir():
        return "beir" if _within(path, "beir") != path else _of_folder(Path(path))
    ending = Path(path.removesuffix(packing(path))).suffix.lower()
    allowed = NAMES.get(ending, set())
    if ending in DOCUMENTS and ending != ".txt":
        return "folder"
    head = b"" if Path(path).is_fifo() else _head(path)
    found = _of_content(head)
    if ending == ".txt" and found != "wikiextractor":
        return "folder"
    if found and (not allowed or found in allowed):
        return found
    if found:
        raise InputError(
            display_name(path),
            1,
            f"the name says {ending[1:]}, the content {found}",
            "--input-format to say which it is",
        )
    if allowed or not head:
        return next((form for form in DEFAULTS if form in allowed), "jsonl")
    begin = head[:40].decode(errors="replace")
    raise InputError(
        display_name(path),
        1,
        f"its form is not clear, it begins with {begin!r}",
        "--input-format to say which",
    )


def _of_folder(path: Path) -> str:
    return "wikiextractor" if next(path.glob("??/wiki_*"), None) else "folder"


def _head(path: str) -> bytes:
    with open_bytes(path) as stream:
        return peek(stream)


def _of_content(head: bytes) -> str:
    text = head.removeprefix(BOM).lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    if b"<mediawiki" in text[:1024]:
        return "wiki-dump"
    if text.startswith(b"<doc "):
        return "wikiextractor"
    if text.startswith(b"["):
        return "json"
    if EXTRACTED.match(text):
        return "wikiextractor"
    if text.startswith(b"{"):
        whole = WHOLE.match(text)
        return ("beir" if whole[1] == b"_id" else "tevatron") if whole else "jsonl"
    line = text.partition(b"\n")[0].rstrip(b"\r").decode(errors="replace")
    if tuple(line.split("\t")) == HEADER:
        return "psgs"
    for mark, form in (("\t", "tsv"), (",", "csv")):
        names = {name.strip('"') for name in line.split(mark)}
        if len(names) > 1 and names.intersection(IDS) and names.intersection(TEXTS):
            return form
    return ""

"""Which form a corpus has, by its content and its name; and the reader of that form."""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.collection import is_collection
from densecli.corpus.columns import IDS, NUMBERS, TEXTS, Columns
from densecli.corpus.documents import READERS as DOCUMENTS
from densecli.corpus.psgs import HEADER
from densecli.corpus.source import Dropped, Source
from densecli.errors import InputError, UsageError
from densecli.files.folders import visible_files
from densecli.files.shards import shards_of
from densecli.files.streams import BOM, display_name, open_bytes, packing, peek
from densecli.files.urls import is_remote

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
    "collection": ("densecli.corpus.collection", "collection_source"),
    "kilt": ("densecli.corpus.kilt", "kilt_source"),
    "folder": ("densecli.corpus.documents", "read_folder"),
    "wiki-dump": ("densecli.corpus.wikipedia.dump", "read_dump"),
    "wikiextractor": ("densecli.corpus.wikipedia.extractor", "read_extracted"),
}
"""Where each form is read: by name, so that only what is read loads its libraries."""
NAMED_COLUMNS = {"jsonl", "json", "tsv", "csv", "parquet"}
SHARDED = {"jsonl", "beir", "tevatron", "kilt", "parquet"}
"""The forms that the files of a folder may have."""
OWN_COLUMNS = {
    form: Columns(ids=(name,), whole=True, id_hint=NUMBERS, text_hint="")
    for form, name in (("beir", "_id"), ("tevatron", "docid"))
}
NOTES = {"README", "LICENSE", "LICENCE", "CITATION", "CHANGELOG"}
"""Names of files beside data that are about them."""
CUTTING = ("words", "stride", "tail", "min_words")
"""What has an effect on articles only."""
EFFECTS: dict[str, Set[str]] = {
    **dict.fromkeys(CUTTING, READERS.keys() - {"psgs", "collection", *OWN_COLUMNS}),
    **dict.fromkeys(("id_column", "title_column", "text_column"), NAMED_COLUMNS),
    "make_ids": NAMED_COLUMNS | OWN_COLUMNS.keys(),
    "document_seconds": {"folder"},
}
"""The forms on which these settings have an effect."""
LINES = {"jsonl", "beir", "tevatron", "kilt", "wikiextractor"}
NAMES = {
    ".jsonl": LINES,
    ".ndjson": LINES,
    ".json": {"json", *LINES},
    ".tsv": {"tsv", "psgs", "collection"},
    ".csv": {"csv"},
    ".parquet": {"parquet"},
    ".xml": {"wiki-dump"},
}
"""The forms that a name allows; the first of `DEFAULTS` among them if the content does not decide."""
DEFAULTS = ("json", "jsonl", "tsv", "csv", "parquet", "wiki-dump")
EXTRACTED = re.compile(rb'\{"id": "\d+", (?:"revid": "\d*", )?"url": "[^"]*\?curid=\d+", "title": ')
KILT = re.compile(rb'"wikipedia_title"\s*:')
WHOLE = re.compile(rb'\{\s*"(_id|docid)"\s*:')


def open_sources(
    paths: Iterable[str], config: PreprocessConfig, asked: Collection[str] | None = None
) -> Iterator[Source]:
    """Open several corpora, each when it is its turn.

    Args:
        paths: of the corpora.
        config: how to read and cut.
        asked: the settings that must have an effect on one of them; by default those that are not usual.

    Raises:
        InputError: a path is missing or empty, or its form is not clear. Where `config.on_error` is `skip`
            it comes with the records of that source, so that the others are still read.
        UsageError: a setting has no effect on the form of any corpus.
    """
    given = list(paths)
    labels = labels_of(given)
    usual = PreprocessConfig()
    changed = {name for name in EFFECTS if getattr(config, name) != getattr(usual, name)}
    _refuse_useless(
        given, config, [name for name in EFFECTS if name in (changed if asked is None else asked)]
    )
    for path in given:
        try:
            form = sniff(path) if config.input_format == "auto" else config.input_format
            shards = shards_of(path) if form in SHARDED and _within(path, form) == path else []
        except InputError as error:
            if config.on_error == "stop":
                raise
            yield Source(display_name(path), _raise_later(error), Dropped)
            continue
        for part in shards or [path]:
            try:
                # a folder may hold JSON lines and Parquet
                own = sniff(part) if shards and config.input_format == "auto" else form
                source = open_source(part, own, config, labels[path])
            except InputError as error:
                if config.on_error == "stop":
                    raise
                source = Source(display_name(part), _raise_later(error), Dropped)
            yield source


def labels_of(paths: Sequence[str]) -> dict[str, str]:
    """Return what goes before the ids of the documents of each path, so that two with one name are apart.

    A single folder needs nothing. Of several each has as much of the end of its path as makes them different;
    a file of documents only where another has its name.
    """
    folders = [path for path in paths if Path(path).is_dir() and _within(path, "beir") == path]
    files = [path for path in paths if path not in folders and Path(path).suffix.lower() in DOCUMENTS]
    named = {path: "" for path in paths}
    if len(folders) + len(files) > 1:
        named |= {path: f"{end}/" for path, end in _ends(folders).items()}
    for path, end in _ends(files).items():
        named[path] = end.removesuffix(Path(path).name)
    return named


def _ends(paths: Sequence[str]) -> dict[str, str]:
    """Return the shortest end of each path that no other has; of equal paths the whole."""
    parts = {path: Path(os.path.abspath(path)).parts for path in paths}
    ends = {}
    for path, own in parts.items():
        others = [one for other, one in parts.items() if other != path and one != own]
        size = next((n for n in range(1, len(own)) if all(one[-n:] != own[-n:] for one in others)), len(own))
        ends[path] = "/".join(own[-size:])
    return ends


def _refuse_useless(paths: Sequence[str], config: PreprocessConfig, settings: Sequence[str]) -> None:
    """Refuse settings without effect on the form of any corpus, before the first one is read.

    Raises:
        UsageError: names one.
    """
    if not settings:
        return
    path = form = ""
    for path in paths:
        try:
            form = sniff(path) if config.input_format == "auto" else config.input_format
        except InputError:
            return  # its error is reported when it is opened
        settings = [name for name in settings if form not in EFFECTS[name]]
    if settings and form:
        why = (
            f"{form} holds passages, which are not cut again"
            if settings[0] in CUTTING
            else f"has the form {form}"
        )
        raise UsageError(f"{display_name(path)}: {why}: `{settings[0]}` has no effect")


def _raise_later(error: InputError) -> Iterator[tuple[int | None, Any]]:
    """Raise what is wrong with a corpus where its records would be."""
    yield from ()
    raise error


def open_source(path: str, form: str, config: PreprocessConfig, label: str = "") -> Source:
    """Open one corpus of a known form; `label` goes before the ids of documents."""
    if form != "folder" and Path(path).is_dir():
        path = _within(path, form)
    module, function = READERS[form]
    read = getattr(import_module(module), function)
    if form in OWN_COLUMNS:
        source = read(path, replace(OWN_COLUMNS[form], make_ids=config.make_ids))
    elif form in NAMED_COLUMNS:
        source = read(path, columns_of(config))
    elif form == "folder":
        source = read(path, config.document_seconds, label)
    else:
        source = read(path)
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

    The first bytes show it, else the name does. Of a named pipe only the name is used, since its bytes can be
    read only once.

    Raises:
        InputError: the path is missing or damaged, the format is unknown, or name and content disagree.
    """
    if Path(path).is_dir():
        return "beir" if _within(path, "beir") != path else _of_folder(Path(path))
    if is_remote(path) and (shards := shards_of(path)):
        return sniff(shards[0])
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
            "`input_format` to say which it is",
        )
    if allowed or not head:
        return next((form for form in DEFAULTS if form in allowed), "jsonl")
    begin = head[:40].decode(errors="replace")
    raise InputError(
        display_name(path),
        1,
        f"its form is not clear, it begins with {begin!r}",
        "`input_format` to say which",
    )


def _of_folder(path: Path) -> str:
    """Return the form of a folder: documents, unless all but notes on the data are files of records."""
    if next(path.glob("??/wiki_*"), None):
        return "wikiextractor"
    for entry in visible_files(path):
        stem, ending = os.path.splitext(entry.name)
        if ending.lower() in DOCUMENTS and stem.upper() not in NOTES:
            return "folder"
    shards = shards_of(str(path))
    return sniff(shards[0]) if shards else "folder"


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
    return _of_json(text) if text.startswith((b"[", b"{")) else _of_table(text)


def _of_json(text: bytes) -> str:
    line = text.partition(b"\n")[0]
    # a lone brace begins an object over several lines, and no JSON line
    if text.startswith(b"[") or line.strip() == b"{":
        return "json"
    if EXTRACTED.match(text):
        return "wikiextractor"
    if KILT.search(line):
        return "kilt"
    whole = WHOLE.match(text)
    return ("beir" if whole[1] == b"_id" else "tevatron") if whole else "jsonl"


def _of_table(text: bytes) -> str:
    line = text.partition(b"\n")[0].rstrip(b"\r").decode(errors="replace")
    if tuple(line.split("\t")) == HEADER:
        return "psgs"
    if is_collection(text):
        return "collection"
    for mark, form in (("\t", "tsv"), (",", "csv")):
        names = {name.strip('"') for name in line.split(mark)}
        if len(names) > 1 and names.intersection(IDS) and names.intersection(TEXTS):
            return form
    return ""

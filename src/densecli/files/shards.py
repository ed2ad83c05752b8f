"""Folders whose files are parts of one set of records, as datasets are published."""

import os
import re
from importlib import import_module

from densecli.errors import InputError
from densecli.files.folders import visible_files
from densecli.files.streams import packing
from densecli.files.urls import is_remote, url_of

ENDINGS = (".jsonl", ".ndjson", ".parquet")
SPLIT = re.compile(r"(?<![a-z])(train|test|validation|valid|val|dev)(?![a-z])", re.IGNORECASE)
"""In the name of a file, as nq-train.jsonl, or in that of a folder, as train/0000.parquet."""


def shards_of(folder: str) -> list[str]:
    """Return the files of JSON lines and Parquet in a folder and below it, in the order of their names.

    Args:
        folder: a path or URL; what is no folder has no such files.

    Raises:
        InputError: their names say that they are of several splits, or a folder at a URL has none.
        ArtifactError: a URL is out of reach.
        UsageError: nothing installed reads such URLs.
    """
    is_local = os.path.isdir(folder)
    files: list[str] | None = None
    if is_local:
        files = [entry.path for entry in visible_files(folder)]
    elif is_remote(folder):
        files = import_module("densecli.files.remote").list_remote(folder)
    found = [path for path in files or () if _is_shard(path)]
    if files is not None and not (found or is_local):
        expected = "at least one; files of other kinds must be on this machine"
        raise InputError(folder, None, f"no {', '.join(ENDINGS)} file in it", expected)
    root = (folder if is_local else url_of(folder)).rstrip(os.sep + "/")
    within = (path.removeprefix(root).replace(os.sep, "/") for path in found)
    splits = sorted({named[-1].lower() for name in within if (named := SPLIT.findall(name))})
    if len(splits) > 1:
        what = f"holds files of several splits ({', '.join(splits)})"
        raise InputError(folder, None, what, "the files of one, or a folder with no others")
    return found


def _is_shard(name: str) -> bool:
    return name.removesuffix(packing(name)).lower().endswith(ENDINGS)

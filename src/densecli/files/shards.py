"""Folders whose files are parts of one set of records, as datasets are published."""

import re
from pathlib import Path

from densecli.errors import InputError
from densecli.files.folders import visible_files
from densecli.files.streams import packing

ENDINGS = (".jsonl", ".ndjson", ".parquet")
SPLIT = re.compile(r"(train|test|validation|valid|val|dev)(?![a-z])", re.IGNORECASE)


def shards_of(folder: str) -> list[str]:
    """Return the files of JSON lines and Parquet in a folder and below it, in the order of their names.

    Raises:
        InputError: their names say that they are of several splits.
    """
    found = [entry.path for entry in visible_files(folder) if _is_shard(entry.name)]
    splits = sorted({match[1].lower() for path in found if (match := SPLIT.match(Path(path).name))})
    if len(splits) > 1:
        what = f"holds files of several splits ({', '.join(splits)})"
        raise InputError(folder, None, what, "the files of one, or a folder with no others")
    return found


def _is_shard(name: str) -> bool:
    return name.removesuffix(packing(name)).lower().endswith(ENDINGS)

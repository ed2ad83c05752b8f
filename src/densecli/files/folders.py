"""The files in a folder that a user names, without hidden ones and results of densecli."""

import os
from collections.abc import Iterator
from pathlib import Path

MANIFEST = "manifest.json"
HEAD = 1 << 16


def visible_entries(folder: Path | str) -> list["os.DirEntry[str]"]:
    """Return the files and folders in a folder, in the order of names.

    Hidden entries, links to folders, and results of densecli are left out: a workspace may lie in the folder
    that it was made from.

    Raises:
        OSError: the folder cannot be listed.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    return [entry for entry in entries if not entry.name.startswith(".") and _is_visible(entry)]


def visible_files(folder: Path | str, lenient: bool = False) -> Iterator["os.DirEntry[str]"]:
    """Yield the visible files in a folder and below it, in the order of names.

    Only the listings of the open folders are in memory.

    Raises:
        OSError: a folder cannot be listed, unless `lenient` passes over it.
    """
    try:
        entries = visible_entries(folder)
    except OSError:
        if not lenient:
            raise
        entries = []
    for entry in entries:
        if entry.is_dir():
            yield from visible_files(entry.path, lenient)
        else:
            yield entry


def _is_visible(entry: "os.DirEntry[str]") -> bool:
    # links to folders are not followed: they can lead in a circle
    if entry.is_dir(follow_symlinks=False):
        return not _is_result(entry.path)
    return entry.is_file()


def _is_result(folder: str) -> bool:
    try:
        with open(os.path.join(folder, MANIFEST), "rb") as stream:
            return b'"densecli"' in stream.read(HEAD)
    except OSError:
        return False

"""Passage stores for tests, written as `preprocess` writes them."""

from collections.abc import Iterable
from pathlib import Path

from densecli.artifacts.kinds import PassagesManifest
from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.records import Passage


def write_store(folder: Path, passages: Iterable[Passage]) -> PassageStore:
    """Write a whole passage store and open it."""
    folder.mkdir(parents=True)
    _, fingerprint = write_passages(folder, passages, "test")
    PassagesManifest(fingerprint=fingerprint).write(folder)
    return PassageStore.open(folder)

"""Work in numbered pieces: a run that resumes does not repeat those that are whole.

Shards of vectors and segments of BM25 are cut at fixed rows, and none depends on another. So a piece is done
if its file or folder has its final name, and a digest of all that shapes the pieces, the plan, lies beside
them. Where this does not fit, work resumes in another way:

- Passages and mined examples grow in one file, in steps that are known only when they come. `Journal` notes
  after each step how far the file is good.
- A training depends on all that came before. A checkpoint holds its state, and `LineLog` cuts the log of its
  updates back to that point.
- A downloaded file can change on its server, which says with an ETag whether it is still the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from densecli.files.atomic import remove, sync, sync_tree

PLAN = "plan"
"""Name of the file with the plan, and behind it the note."""


@dataclass(frozen=True)
class Unfinished:
    """What an interrupted run left that made at least one piece.

    Attributes:
        plan: the plan of its work.
        note: what it stored for the run that resumes.
    """

    plan: str
    note: str


class Pieces:
    """The pieces of one work in a folder."""

    def __init__(self, folder: Path, name: Callable[[int], str], plan: str, note: str = "") -> None:
        """Open the folder. All that a run with another plan has left there is removed.

        Args:
            folder: an existing folder that holds nothing but this work.
            name: returns the name of a piece's file or folder, by its number from 0.
            plan: a digest of all that shapes the pieces; an empty one never matches.
            note: a note for the run that resumes.
        """
        self.folder = folder
        self._name = name
        found = _read(folder)
        if found is None or not plan or found.plan != plan:
            for path in folder.iterdir():
                remove(path)
            (folder / PLAN).write_text(f"{plan}\n{note}")

    def path(self, number: int) -> Path:
        """Return the place of a piece."""
        return self.folder / self._name(number)

    @property
    def leading(self) -> int:
        """How many pieces are done before the first one that is missing."""
        number = 0
        # only a leading run counts: the stages that resume cut their input at one row
        while self.path(number).exists():
            number += 1
        return number

    def discard_if_empty(self) -> None:
        """Remove the plan if no piece is done: there is nothing to resume from."""
        if not self.path(0).exists():
            (self.folder / PLAN).unlink(missing_ok=True)


def find_unfinished(folder: Path, name: Callable[[int], str]) -> Unfinished | None:
    """Return what an interrupted run has left in a folder, None if it has made no piece."""
    return _read(folder) if (folder / name(0)).exists() else None


def _read(folder: Path) -> Unfinished | None:
    try:
        plan, _, note = (folder / PLAN).read_bytes().decode(errors="replace").partition("\n")
    except FileNotFoundError:
        return None
    return Unfinished(plan, note)


@contextmanager
def new_piece(path: Path) -> Iterator[Path]:
    """Yield where a piece grows, a file or a folder; it gets its final name when it is whole."""
    partial = path.with_suffix(".partial")
    remove(partial)
    yield partial
    if partial.is_dir():
        sync_tree(partial)
    else:
        sync(partial)
    # the name is the sign that a piece is whole, so it comes last
    partial.replace(path)

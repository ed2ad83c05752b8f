"""The progress of work on a growing file, stored beside it for a run that resumes.

`preprocess` and mining use it. `files/pieces` says how other work resumes, and why it differs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from densecli.files.atomic import sync
from densecli.files.bad_records import EXAMPLES
from densecli.files.typed import from_json, read_json

NAME = "progress.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """A point up to which everything is written.

    Attributes:
        records: raw records that are done.
        rows: passages that they gave.
        counts: what was read, dropped and skipped so far.
        errors: the first records that were skipped.
    """

    records: int = 0
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    errors: tuple[str, ...] = ()

    def after(self, records: int, rows: int, counts: Counter[str], errors: Iterable[str]) -> "Progress":
        """Return the progress after so many more records and rows."""
        first = (*self.errors, *errors)[:EXAMPLES]
        return Progress(self.records + records, self.rows + rows, self.counts + counts, first)

    def row(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "records": self.records, "rows": self.rows, "counts": dict(self.counts), "errors": self.errors
        }  # fmt: skip


@dataclass(frozen=True)
class _Stored:
    """The progress as it is stored."""

    plan: str
    records: int
    rows: int
    counts: Mapping[str, int]
    errors: tuple[str, ...]


class Journal:
    """The latest progress of one piece of work, stored on the disk."""

    def __init__(self, folder: Path, plan: str) -> None:
        """Open the journal of a folder; one of another plan is ignored.

        Args:
            folder: the unfinished result.
            plan: a fingerprint of all that shapes it.
        """
        self._path = folder / NAME
        self._plan = plan
        self.last = self._read()

    def _read(self) -> Progress | None:
        try:
            found = from_json(_Stored, read_json(self._path), NAME)
        except (FileNotFoundError, ValueError):
            return None
        if found.plan != self._plan:
            return None
        return Progress(found.records, found.rows, Counter(found.counts), found.errors)

    def note(self, progress: Progress) -> None:
        """Store the latest progress. Call it when everything up to there is on the disk."""
        partial = self._path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps({"plan": self._plan, **progress.row()}))
        sync(partial)
        # renamed, so that a run that is killed here leaves the note before
        partial.replace(self._path)
        self.last = progress

    def remove(self) -> None:
        """Remove the journal, because the work is done."""
        self._path.unlink(missing_ok=True)

"""How far an interrupted `preprocess` came: a note next to what it has written."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from densecli.files.atomic import sync
from densecli.files.bad_records import EXAMPLES

NAME = "progress.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment at which everything before is written.

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
        """Return the moment when so much more is done."""
        first = (*self.errors, *errors)[:EXAMPLES]
        return Progress(self.records + records, self.rows + rows, self.counts + counts, first)

    def row(self) -> dict[str, Any]:
        """Return the moment as JSON."""
        return {
            "records": self.records, "rows": self.rows, "counts": dict(self.counts), "errors": self.errors
        }  # fmt: skip


class Journal:
    """The latest moment of one piece of work, on the disk."""

    def __init__(self, folder: Path, plan: str) -> None:
        """Open the journal of a folder; one of another plan counts for nothing.

        Args:
            folder: the unfinished result.
            plan: a fingerprint of all that shapes it.
        """
        self._path = folder / NAME
        self._plan = plan
        self.last = self._read()

    def _read(self) -> Progress | None:
        try:
            row = orjson.loads(self._path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        if row.pop("plan") != self._plan:
            return None
        return Progress(**{**row, "counts": Counter(row["counts"]), "errors": tuple(row["errors"])})

    def note(self, moment: Progress) -> None:
        """Set the latest moment, when all of it is on the disk."""
        partial = self._path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps({"plan": self._plan, **moment.row()}))
        sync(partial)
        partial.replace(self._path)
        self.last = moment

    def remove(self) -> None:
        """Take the journal away: the work is done."""
        self._path.unlink(missing_ok=True)

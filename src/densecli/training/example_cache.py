"""Prepared training examples on disk, found again by a digest of all that shaped them.

Preparing a reader's examples means matching and tokenizing hundreds of passages for each question. A training
with other hyper-parameters, or one that resumes, takes them from here.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from densecli.errors import ResourceError
from densecli.files.atomic import new_file
from densecli.training.examples import ExampleSpool

# A part of every key: raise it when the same settings prepare other examples.
FORMAT = 1
CHUNK = 1 << 20


@dataclass(frozen=True)
class PreparedExamples:
    """Examples of one or several sets.

    Attributes:
        spool: the examples.
        rows: those of each set.
        counts: what was read and left out on the way.
    """

    spool: ExampleSpool
    rows: list[range]
    counts: Counter[str]


class ExampleCache:
    """The place of one preparation in a folder of such."""

    def __init__(self, folder: Path, parts: Sequence[Any]) -> None:
        """Find the place for what `parts`, JSON values, determine."""
        key = hashlib.sha256(orjson.dumps([FORMAT, *parts])).hexdigest()
        self.path = folder / f"{key}.jsonl"
        self._about = folder / f"{key}.json"

    def read(self) -> PreparedExamples | None:
        """Return the examples; None if there are none, or they are damaged."""
        try:
            about = orjson.loads(self._about.read_bytes())
            # damaged or cut examples would train without an error, since each line is valid on its own
            if _digest(self.path) != about["sha256"]:
                return None
            spool = ExampleSpool.open(self.path, about["hard"], about["other"])
            rows = [range(first, last) for first, last in about["rows"]]
            return PreparedExamples(spool, rows, Counter(about["counts"]))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
        ):  # treated as missing: the examples are prepared again
            return None

    def write(self, made: PreparedExamples) -> None:
        """Store examples if possible: the disk may be full, or another training may be writing the same."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(self.path) as place:
                made.spool.copy(place)
            about = {
                "sha256": _digest(self.path),
                "hard": made.spool.hard_counts,
                "other": made.spool.other_counts,
                "rows": [[one.start, one.stop] for one in made.rows],
                "counts": made.counts,
            }
            # written last: examples without it count as missing
            with new_file(self._about) as place:
                place.write_bytes(orjson.dumps(about))
        except ResourceError:  # another training is writing the same examples
            return
        except OSError:
            # a part of the examples is of no use, and takes up space on a full disk
            for path in (self._about, self.path):
                if path.is_file() and not path.is_symlink():
                    os.unlink(path)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Writes a passage store: its rows, the table of its ids, and the progress of an interrupted run."""

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from densecli.artifacts.passages.arrow import BLOCK, BlockWriter, TextColumn, read_unfinished
from densecli.artifacts.passages.batch import UNKNOWN, PassageBatch, batch_of_rows
from densecli.artifacts.passages.ids import IdTableBuilder
from densecli.artifacts.passages.journal import Journal, Progress
from densecli.errors import InputError
from densecli.files.atomic import remove, sync
from densecli.files.bad_records import EXAMPLES
from densecli.files.shortages import is_shortage

FILE = "passages.arrow"
GROWING = "growing.arrow"


@dataclass(frozen=True, slots=True)
class Finished:
    """A store that is whole.

    Attributes:
        rows: its passages.
        fingerprint: the SHA-256 of them.
        left_out: how many were not kept, since their id or their article's occurred before.
        errors: what is wrong with the first of those, as `file: what; expected`.
    """

    rows: int
    fingerprint: str
    left_out: int
    errors: list[str]


class PassageSink:
    """Takes passages in order. A block of them is in memory at a time, and 12 bytes for each.

    Attributes:
        begun: how far an earlier run came; what it wrote is in the store already.
    """

    def __init__(self, folder: Path, offsets: bool = False, plan: str | None = None) -> None:
        """Begin a store, or resume one.

        Args:
            folder: an existing folder with nothing in it but what an interrupted run left.
            offsets: whether the article and the offset of each passage are kept.
            plan: a fingerprint of all that shapes the store; without it nothing is kept for another run.
        """
        self._folder = folder
        self._offsets = offsets
        self._journal = Journal(folder, plan) if plan else None
        self._unsaved: deque[Progress] = deque()
        self.begun = Progress()
        last = self._journal.last if self._journal else None
        if last is None:
            self._clear()
        self._open()
        if last is not None:
            try:
                # written again into a new file: the old one has no end and cannot be appended to
                for rows in read_unfinished(folder / FILE, last.rows):
                    self._write(batch_of_rows(rows), None)
                self.begun = last
            except (OSError, pa.ArrowInvalid) as error:
                if is_shortage(error):
                    raise
                self._blocks.close()
                self._open()

    def __enter__(self) -> "PassageSink":
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Keep what a later run can resume from, unless the input itself is wrong."""
        if error is None:
            return
        self._blocks.abandon()
        # with wrong input the same run would fail at the same place again
        if self._journal is None or self._journal.last is None or isinstance(error, InputError):
            self._clear()

    def _clear(self) -> None:
        for path in self._folder.iterdir():
            remove(path)

    def _open(self) -> None:
        self._path = self._folder / GROWING
        self._ids = IdTableBuilder()
        self._places = array("I")
        self._origins: list[tuple[int, str]] = []
        self._blocks = BlockWriter(self._path, self._offsets, self._on_flush)

    def add(self, portion: PassageBatch, source: str, progress: Progress) -> None:
        """Take the passages of a block of records.

        Args:
            portion: the passages.
            source: the name of the corpus.
            progress: how far the work is when these passages are written.
        """
        self._write(portion, source)
        if self._journal is not None:
            self._unsaved.append(progress)

    def _write(self, portion: PassageBatch, source: str | None) -> None:
        if source is not None and (not self._origins or self._origins[-1][1] != source):
            self._origins.append((len(self._places), source))
        self._ids.add(portion.hashes)
        self._places.frombytes(portion.places.tobytes())
        self._blocks.add(portion.rows)

    def _on_flush(self, rows: int) -> None:
        progress = None
        # a batch may lie in two blocks: only progress whose rows are all in the file is noted
        while self._unsaved and self._unsaved[0].rows <= rows:
            progress = self._unsaved.popleft()
        if self._journal is not None and progress is not None:
            # before the note, which must not name rows that a power failure could take back
            sync(self._path)
            self._settle()
            self._journal.note(progress)

    def _settle(self) -> None:
        """Put what grows in the place of what an earlier run left, once it has more."""
        self._path.replace(self._folder / FILE)
        self._path = self._folder / FILE

    def finish(self, source: str, unique: bool = False) -> "Finished":
        """End the store: its ids are unique from here on.

        Args:
            source: named where there is nothing.
            unique: whether a passage with the id of an earlier one is left out, and with it the rest of an
                article that occurs again; it is an error otherwise.

        Raises:
            InputError: there is no passage, or two have one id.
        """
        self._end()
        if not self._places:
            raise InputError(source, None, "no passage in it", "at least one record with text")
        id_of = _ids_of(self._folder / FILE)
        # at the end, by sorting: a set of 21 million ids would take gigabytes
        pairs = self._ids.find_repeated(id_of)
        repeated = []
        for row, first in pairs[:EXAMPLES].tolist():
            what = f"id {id_of(row)!r} occurs twice ({self._both(first, row)})"
            repeated.append(
                InputError(self._name(row) or source, self._places[row] or None, what, "unique ids")
            )
        if repeated and not unique:
            raise repeated[0]
        left_out = _with_the_rest(pairs[:, 0], id_of, len(self._places))
        if self._journal is not None:
            self._journal.remove()
        if len(left_out):
            self._leave_out(left_out)
        self._ids.write(self._folder)
        return Finished(
            self._blocks.rows, self._blocks.fingerprint, len(left_out), [str(one) for one in repeated]
        )

    def _end(self) -> None:
        self._unsaved.clear()
        self._blocks.close()
        self._settle()

    def _leave_out(self, rows: NDArray[np.int64]) -> None:
        """Write the store again without some rows."""
        whole = pa.ipc.open_file(pa.memory_map(str(self._folder / FILE)))
        self._open()
        for number in range(whole.num_record_batches):
            block = whole.get_batch(number)
            kept = ~np.isin(np.arange(block.num_rows) + number * BLOCK, rows)
            self._write(batch_of_rows(block.filter(pa.array(kept))), None)
        self._end()

    def _name(self, row: int) -> str:
        number = bisect_right(self._origins, row, key=lambda origin: origin[0]) - 1
        return self._origins[number][1] if number >= 0 else ""

    def _both(self, first: int, row: int) -> str:
        """Return where the first of two passages comes from, or the numbers of both."""
        if self._places[first] == UNKNOWN:
            return f"passages {first + 1} and {row + 1}"
        return f"first at {self._name(first)}:{self._places[first]}"


def _ids_of(path: Path) -> Callable[[int], str]:
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    ids = lru_cache(maxsize=64)(lambda number: TextColumn(reader.get_batch(number).column(0)))
    return lambda row: ids(row // BLOCK)[row % BLOCK]


def _with_the_rest(rows: NDArray[np.int64], id_of: Callable[[int], str], end: int) -> NDArray[np.int64]:
    """Return rows, and for those that begin an article all other rows of it."""
    found = set(rows.tolist())
    for row in rows.tolist():
        # passages of an article have its id, # and their number
        article, mark, number = id_of(row).rpartition("#")
        following = row + 1
        begins = bool(mark) and number == "0"
        while begins and following < end and id_of(following).rpartition("#")[:2] == (article, mark):
            found.add(following)
            following += 1
    return np.array(sorted(found), dtype=np.int64)

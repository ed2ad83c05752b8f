"""A file of JSON lines that grows in steps; a run that was killed resumes after its last whole step."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from densecli.artifacts.passages.journal import Journal, Progress
from densecli.files.atomic import sync
from densecli.files.jsonl import encode_line


class GrowingLines:
    """Lines that are added step by step.

    Attributes:
        done: the progress: `records` of the input, `rows` that were written as lines, and the counts.
    """

    def __init__(self, path: Path, plan: str) -> None:
        self._path = path
        self._journal = Journal(path.parent, plan)
        self.done = self._journal.last or Progress()
        size = end_of(path, self.done.rows)
        if size is None:
            self.done, size = Progress(), 0
        self._size = size
        if not size:
            path.write_bytes(b"")  # a run without any line makes an empty file, whatever was left here

    def add(self, rows: Iterable[Mapping[str, Any]], records: int, counts: Counter[str]) -> None:
        """Add the lines of one step, then note that they are whole.

        Args:
            rows: the lines.
            records: how much of the input is done with them.
            counts: the counts of all that is done.
        """
        added = 0
        with open(self._path, "r+b" if self._size else "wb") as stream:
            # lines of a step that was interrupted are behind the last note
            stream.truncate(self._size)
            stream.seek(self._size)
            for row in rows:
                stream.write(encode_line(row))
                added += 1
            self._size = stream.tell()
        # before the note: after a power failure it must not name lines that are not on the disk
        sync(self._path)
        self.done = Progress(records, self.done.rows + added, Counter(counts))
        self._journal.note(self.done)


def end_of(path: Path, lines: int) -> int | None:
    """Return where the first `lines` lines of a file end, None where it has fewer."""
    if not lines:
        return 0
    try:
        with open(path, "rb") as stream:
            sizes = [len(line) for line in islice(stream, lines) if line.endswith(b"\n")]
    except FileNotFoundError:
        return None
    return sum(sizes) if len(sizes) == lines else None


@contextmanager
def growing_lines(path: Path, plan: str) -> Iterator[GrowingLines]:
    """Yield the file to add to; it is whole when the block ends well.

    Args:
        path: a file in a folder of its own that is kept when a run is interrupted.
        plan: a fingerprint of all that shapes the lines; what is left of another plan is written over.
    """
    lines = GrowingLines(path, plan)
    try:
        yield lines
    except BaseException:
        if not lines.done.records:
            path.unlink(missing_ok=True)  # nothing to resume from
        raise
    Journal(path.parent, plan).remove()

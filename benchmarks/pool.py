"""The passages of a run: all of the shared collection, or a part of it."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from densecli.files.atomic import new_file

FILE = Path("wiki") / "psgs_main_w100.tsv.gz"
HEAD = 21_315  # rows with gold and core articles
Rows = Iterable[bytes]
"""A header, and a line for each passage."""


def write_pool(data: Path, to: Path, part: Callable[[Rows], Rows]) -> int:
    """Write the part of the collection in `data` that is wanted, whole or not at all; return its passages."""
    count = -1  # the header
    with gzip.open(data / FILE, "rb") as lines, new_file(to) as unfinished, open(unfinished, "wb") as stream:
        for line in part(lines):
            stream.write(line)
            count += 1
    return count


def thinned(rows: Rows, every: int, first: int) -> Iterator[bytes]:
    """Yield the header, the head, and one of `every` rows behind it, from row `first` of these on."""
    for row, line in enumerate(rows):
        if row <= HEAD or (row - HEAD) % every == first % every:
            yield line


def part_named(name: str) -> Callable[[Rows], Rows]:
    """Return what picks a part: `full`, `42k` (the head and every twentieth row), or a number of first rows.

    Raises:
        ValueError: it is none of these.
    """
    if name == "full":
        return iter
    if name == "42k":
        return partial(thinned, every=20, first=1)
    count = int(name)
    if count < 1:
        raise ValueError(name)
    return lambda rows: islice(rows, 1 + count)

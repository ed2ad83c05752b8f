"""Search results in the formats of other programs."""

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from densecli.formats.convert import TARGETS, convert, locate_errors
from densecli.formats.known import RESULTS
from densecli.formats.lookup import Lookup
from densecli.records import RankedList


def write_results(ranked: Iterable[RankedList], form: str, stream: BinaryIO) -> None:
    """Write ranked lists as they come, in a format such as `trec` or `dpr`.

    Raises:
        InputError: an id is empty or has a space.
    """
    counts: Counter[str] = Counter()
    target = TARGETS[RESULTS, form]
    assert target.write is not None
    with locate_errors("search results", counts):
        target.write(convert(ranked, RESULTS, RESULTS, target, Lookup(), counts), stream)

"""Search results in the formats of other programs."""

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from densecli.files.bad_records import STOP, BadRecords
from densecli.formats.convert import TARGETS, convert, locate_errors
from densecli.formats.known import RESULTS
from densecli.formats.lookup import Lookup
from densecli.records import RankedList


def write_results(ranked: Iterable[RankedList], form: str, stream: BinaryIO, bad: BadRecords = STOP) -> None:
    """Write ranked lists as they come, in a format such as `trec` or `dpr`.

    Args:
        ranked: the lists.
        form: the format.
        stream: receives them.
        bad: what a list does that the format cannot hold, such as one of an id that was there before.

    Raises:
        InputError: an id is empty, has a space, or comes twice.
    """
    counts: Counter[str] = Counter()
    target = TARGETS[RESULTS, form]
    assert target.write is not None
    name = "search results"
    with locate_errors(name, counts, bad) as refuse:
        found = convert(ranked, RESULTS, RESULTS, target, Lookup(), counts, refuse)
        target.write(bad.usable(name, found), stream)

"""Search results and predictions, ours or those of other programs."""

from collections.abc import Iterator

from densecli.io.formats.documents import opened
from densecli.io.formats.forms import RESULTS
from densecli.io.formats.recognise import recognise, refuse_bare
from densecli.records import Prediction, RankedList


def read_results(path: str) -> Iterator[RankedList | Prediction]:
    """Yield the ranked lists or predictions of a file: JSON lines, or one of DPR's JSON arrays.

    Args:
        path: a file, `-` for stdin; .gz and .bz2 are decompressed.

    Raises:
        InputError: `file:line: what; expected`, for the first that cannot be used, and for a run, which
            holds ids only.
    """
    with opened(path) as document:
        known = recognise(document, RESULTS)
        refuse_bare(known.form, document.name)
        yield from known.records()


def read_ranked(path: str) -> Iterator[RankedList]:
    """Yield the ranked lists of a file; of predictions, the passages that were read."""
    for one in read_results(path):
        yield one.ranked if isinstance(one, Prediction) else one

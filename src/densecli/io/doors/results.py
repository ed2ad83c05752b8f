"""Search results and predictions, ours or those of other programs."""

from collections.abc import Iterator

from densecli.errors import FieldError, InputError
from densecli.io.bad_records import STOP, BadRecords, reason_of
from densecli.io.formats.documents import opened
from densecli.io.formats.forms import RESULTS
from densecli.io.formats.lookup import Lookup
from densecli.io.formats.recognise import recognise, refuse_bare
from densecli.io.streams import told
from densecli.records import Prediction, RankedList, ranked_of


def read_results(
    path: str, bad: BadRecords = STOP, lookup: Lookup | None = None
) -> Iterator[RankedList | Prediction]:
    """Yield the ranked lists or predictions of a file: JSON lines, one of DPR's JSON arrays, or a run.

    Args:
        path: a file, `-` for stdin; .gz and .bz2 are decompressed.
        bad: what a record that cannot be used does.
        lookup: texts for the ids of a run, and of what else came without.

    Raises:
        InputError: `file:line: what; expected`, for the first that cannot be used, and for a run, which
            holds ids only, where the lookup lacks questions or passages.
    """
    return bad.usable(told(path), _results(path, bad, lookup))


def _results(path: str, bad: BadRecords, lookup: Lookup | None) -> Iterator[RankedList | Prediction]:
    with opened(path, bad) as document:
        known = recognise(document, RESULTS)
        if lookup is None or not lookup.whole:
            refuse_bare(known.form, document.name, options=lookup is not None)
        if lookup is None:
            yield from known.records()
            return
        for number, record in enumerate(known.records(), 1):
            try:
                found = lookup.complete(record)
            except FieldError as error:
                what = f"record {number:,}: {error.what}"
                bad.refuse(reason_of(error), InputError(document.name, None, what, error.expected))
            else:
                yield found


def read_ranked(path: str, bad: BadRecords = STOP, lookup: Lookup | None = None) -> Iterator[RankedList]:
    """Yield the ranked lists of a file; of predictions, the passages that were read."""
    return map(ranked_of, read_results(path, bad, lookup))

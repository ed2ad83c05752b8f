"""How records that cannot be used are reported."""

from densecli.counts import format_counts
from densecli.files.bad_records import BadRecords
from densecli.observer import Observer


def collect_bad_records(on_error: str, observer: Observer) -> BadRecords:
    """Return what receives the records that cannot be used; with `skip` the first few are reported."""
    return BadRecords(on_error == "skip", lambda error: observer.warning(f"skipped {error}"))


def report_skipped(bad: BadRecords, observer: Observer) -> None:
    """Report how many records were skipped, by reason."""
    if bad.counts:
        observer.warning(format_counts(bad.counts))

"""How records that cannot be used, or may be meant in another way, are reported."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from densecli.counts import format_counts
from densecli.files.bad_records import BadRecords
from densecli.observer import Observer
from densecli.records import Question
from densecli.text.pattern_like import LEAST_SHARE, is_pattern_like

T = TypeVar("T")


def collect_bad_records(on_error: str, observer: Observer) -> BadRecords:
    """Return what receives the records that cannot be used; with `skip` the first few are reported."""
    return BadRecords(on_error == "skip", lambda error: observer.warning(f"skipped {error}"))


def report_skipped(bad: BadRecords, observer: Observer) -> None:
    """Report how many records were skipped, by reason."""
    if bad.counts:
        observer.warning(format_counts(bad.counts))


def report_at_end(found: Iterator[T], bad: BadRecords, observer: Observer) -> Iterator[T]:
    """Pass on what was found, then report how many records were skipped."""
    yield from found
    report_skipped(bad, observer)


def warn_of_patterns(
    records: Iterable[T], question_of: Callable[[T], Question], observer: Observer
) -> Iterator[T]:
    """Pass records on; warn at the end if their answers look like patterns and are matched as text."""
    answered, alike = 0, 0
    for record in records:
        question = question_of(record)
        if question.answers and question.answer_type == "string":
            answered += 1
            alike += any(map(is_pattern_like, question.answers))
        yield record
    if answered and alike / answered >= LEAST_SHARE:
        observer.warning(
            f"{alike:,} of {answered:,} questions have answers that look like regular expressions and are"
            " matched as text; `answer_type` regex matches them as patterns"
        )

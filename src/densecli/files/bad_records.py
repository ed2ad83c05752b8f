"""What happens to a record that cannot be used: it ends the run, or it is counted and skipped."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from densecli.errors import InputError

T = TypeVar("T")
EXAMPLES = 3
"""Skipped records that are shown."""
REST, DUPLICATE = "rest_of_broken_file", "duplicate_id"


class BadRecords:
    """Takes the records that readers cannot use.

    Attributes:
        skip: whether these are skipped; otherwise the first ends the run.
        counts: the skipped ones, as `skipped_<code>` (`densecli.counts`).
    """

    def __init__(self, skip: bool = False, report: Callable[[str], None] = lambda _: None) -> None:
        """Begin with none.

        Args:
            skip: see the attribute.
            report: called with each of the first three that are skipped, as `file:line: what; expected`.
        """
        self.skip = skip
        self.counts: Counter[str] = Counter()
        self._report = report

    def refuse(self, code: str, error: InputError) -> None:
        """Take a record that cannot be used.

        Raises:
            InputError: `error`, unless such records are skipped.
        """
        if not self.skip:
            raise error from None
        self.note(code, 1, [str(error)])

    def note(self, code: str, times: int, messages: Sequence[str]) -> None:
        """Count records that were skipped elsewhere, and report the first of them."""
        for one in messages[: max(0, EXAMPLES - self.counts.total())]:
            self._report(one)
        self.counts[f"skipped_{code}"] += times

    def usable(self, name: str, records: Iterable[T]) -> Iterator[T]:
        """Pass on the records of a file; with `skip`, those before a break in it are used.

        Raises:
            InputError: the file is broken before its first record, or has none that can be used.
        """
        before, found = self.counts.total(), False
        try:
            for record in records:
                found = True
                yield record
        except InputError as error:
            if not found:
                raise
            self.refuse(REST, error)
        skipped = self.counts.total() - before
        if skipped and not found:
            raise InputError(name, None, f"none of its {skipped:,} records can be used", "one that can")


STOP = BadRecords()
"""The first ends the run."""

"""What a record that cannot be used does: it ends the run, or it is counted by reason and passed over."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from densecli.errors import FieldError, InputError

T = TypeVar("T")
EXAMPLES = 3
"""Skipped records that are shown."""
KIND = re.compile(r"'[^']*' (?:is (?!not )|holds (?!a ))\w+")
HEAD = re.compile(r"[^(]*[^( ]")
VALUE = re.compile(r"""(?<!field):? (?:'(?:[^'\\]|\\.)*+(?:'|\\?$)|"(?:[^"\\]|\\.)*+(?:"|\\?$))""")
REST, DUPLICATE = "rest of a broken file", "duplicate id"


class BadRecords:
    """Where readers bring the records that they cannot use.

    Attributes:
        skip: whether these are passed over; otherwise the first ends the run.
        counts: those passed over, as `skipped_<reason>`.
    """

    def __init__(self, skip: bool = False, tell: Callable[[str], None] = lambda _: None) -> None:
        """Begin with none.

        Args:
            skip: as the attribute.
            tell: is given the first three that are passed over, as `file:line: what; expected`.
        """
        self.skip = skip
        self.counts: Counter[str] = Counter()
        self._tell = tell

    def refuse(self, reason: str, error: InputError) -> None:
        """Take a record that cannot be used.

        Raises:
            InputError: `error`, unless such records are passed over.
        """
        if not self.skip:
            raise error from None
        self.note(reason, 1, [str(error)])

    def note(self, reason: str, times: int, messages: Sequence[str]) -> None:
        """Count records that were skipped elsewhere, and report the first of them."""
        for one in messages[: max(0, EXAMPLES - self.counts.total())]:
            self._tell(one)
        self.counts[f"skipped_{reason}"] += times

    def usable(self, name: str, records: Iterable[T]) -> Iterator[T]:
        """Pass on what is read of a file; with `skip`, what comes before a break in it is used.

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


def reason_of(error: FieldError) -> str:
    """Return what was wrong without what differs from record to record, to count it by."""
    found = KIND.match(error.what) or HEAD.match(error.what)
    return VALUE.sub("", found[0]).removesuffix(" is") if found else error.what

"""Inputs that are files or records in memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from densecli.artifacts.manifest import describe_input
from densecli.artifacts.recipe import Input
from densecli.workflows.describe_records import Record, describe_records

R = TypeVar("R", bound=Record)
Records = str | Path | Iterable[R]
"""The path of a file, or the records themselves. Of training examples also the name of a mined set."""
RecordSets = Records[R] | Iterable[Records[R]]
"""One set of records, or several."""


@dataclass(frozen=True)
class RecordSet(Generic[R]):
    """Records of one file, or in memory.

    Attributes:
        name: path of the file; of records in memory, what to call them.
        records: those in memory; None where there is a file. An iterator can be read only once.
    """

    name: str
    records: Iterable[R] | None = None

    def describe(self, role: str) -> Input:
        """Return the set as the input of an artifact, and what it is used for there.

        Raises:
            InputError: there is no such file.
        """
        if self.records is None:
            return replace(describe_input(self.name), role=role)
        return replace(describe_records(self.name, self.records), role=role)


def as_record_set(given: Records[R], kind: type[R], name: str) -> RecordSet[R]:
    """Return a set of records of one kind, with that name if they are in memory.

    Raises:
        TypeError: a record is of another kind; of an iterator's records, when they are read.
    """
    if isinstance(given, str | Path):
        return RecordSet(str(given))
    if isinstance(given, Iterator):
        return RecordSet(name, _check_kind(given, kind, name))
    for _ in _check_kind(given, kind, name):
        pass
    return RecordSet(name, given)


def as_record_sets(given: RecordSets[R], kind: type[R], name: str) -> list[RecordSet[R]]:
    """Return one or several sets of records of one kind; several in memory have numbers in their names.

    Raises:
        TypeError: a record is of another kind.
    """
    if isinstance(given, str | Path | Iterator) or not isinstance(
        next(iter(given), None), str | Path | Sequence | Iterator
    ):
        return [as_record_set(given, kind, name)]  # type: ignore[arg-type]  # the items are records
    return [as_record_set(one, kind, f"{name} {number}") for number, one in enumerate(given, 1)]  # type: ignore[arg-type]


def _check_kind(records: Iterable[R], kind: type[R], name: str) -> Iterator[R]:
    for record in records:
        if not isinstance(record, kind):
            raise TypeError(f"{name}: expected {kind.__name__}, got {type(record).__name__}")
        yield record

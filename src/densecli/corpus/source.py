"""A corpus as a stream of raw records, and the function that makes an article or a passage of each."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from densecli.errors import InputError
from densecli.files.line_blocks import LineBlock
from densecli.files.streams import display_name
from densecli.records import Article, Passage

BATCH_SIZE = 1 << 20
BATCH_RECORDS = 1024
Record = tuple[int | None, Any]
"""A place (the number of a line, a page, a row or a file, from 1; None where the name of the corpus says it
all), and the payload that is parsed."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that is no article on purpose (a redirect, a list page): counted as `dropped_<reason>`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """An article without the parts that are not prose, counted by kind as `left_out_<kind>`."""

    article: Article
    left_out: Counter[str]


Parsed = Article | Passage | Dropped | Pruned


def weigh(payload: Any) -> int:
    """Return the length of a payload of bytes or text, or the total length of the items of another one."""
    if isinstance(payload, bytes | str):
        return len(payload)
    if isinstance(payload, tuple | list):
        return sum(map(weigh, payload))
    # a number, a date or the like
    return 16


class Batch(Protocol):
    """Raw records that are parsed together."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Record]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """One corpus, opened. Reading and parsing are apart, so that many processes can parse what one reads.

    Attributes:
        name: the path, or `stdin`, as errors show it.
        raw: the records in order, cheaply cut and not yet decoded. Raises InputError when the stream itself
            is broken. It is iterated once, and always from its beginning.
        parse: one payload to one record. A module-level function, or a `functools.partial` of one: it is
            sent to worker processes, so its module imports nothing heavy that it does not need. Raises
            FieldError, to which the place is added.
        size: how much work a payload is, in bytes of JSON lines; about a MiB of work is done at a time.
        batches: the same records and not others than `raw` gives, where they are read many at a time.
    """

    name: str
    raw: Iterator[Record]
    parse: Callable[[Any], Parsed]
    size: Callable[[Any], int] = weigh
    batches: Iterator[Batch] | None = None


def line_source(path: str, slabs: Iterator[LineBlock], parse: Callable[[bytes], Parsed]) -> Source:
    """Open a file with a record on each line that is not blank."""
    return Source(display_name(path), chain.from_iterable(slabs), parse, batches=slabs)


def batches_of(source: Source) -> Iterator[Batch]:
    """Yield the raw records of a source, about a MiB of work at a time.

    Raises:
        InputError: the source is broken; after all records before the break.
    """
    if source.batches is not None:
        yield from source.batches
        return
    held: list[Record] = []
    size = 0
    try:
        for place, payload in source.raw:
            if size >= BATCH_SIZE or len(held) == BATCH_RECORDS:
                yield held
                held, size = [], 0
            held.append((place, payload))
            size += source.size(payload)
    except InputError:
        if held:
            yield held
        raise
    if held:
        yield held

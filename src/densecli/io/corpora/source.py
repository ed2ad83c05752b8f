"""A corpus as a stream of raw records, and the function that makes an article or a passage of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from densecli.records import Article, Passage


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that is no article on purpose (a redirect, a list page): counted as `dropped_<reason>`."""

    reason: str


Parsed = Article | Passage | Dropped


def weigh(payload: Any) -> int:
    """Return the length of a payload of bytes or text; of anything else, of what it holds."""
    if isinstance(payload, bytes | str):
        return len(payload)
    if isinstance(payload, tuple | list):
        return sum(map(weigh, payload))
    return 16


@dataclass(frozen=True, slots=True)
class Source:
    """One corpus, opened. Reading and parsing are apart, so that many processes can parse what one reads.

    Attributes:
        name: the path, or `stdin`, as errors tell it.
        raw: the records in order, cheaply cut and not yet decoded, each with its place (a line, a page, a
            row or a file's number from 1; None where `name` says it all). Raises InputError when the
            stream itself is broken. It is walked once, and always from its beginning.
        parse: one payload to one record. A module-level function, or a `functools.partial` of one: it is
            sent to worker processes, so its module imports nothing heavy that it does not need. Raises
            FieldError, to which the place is added.
        size: how much work a payload is, in bytes of JSON lines; about a MiB of work is done at a time.
    """

    name: str
    raw: Iterator[tuple[int | None, Any]]
    parse: Callable[[Any], Parsed]
    size: Callable[[Any], int] = weigh

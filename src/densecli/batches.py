"""Cutting a stream into batches."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(
    items: Iterable[T], size: int, has_arrived: Callable[[], bool] | None = None
) -> Iterator[list[T]]:
    """Yield lists of `size` items; the last may be shorter.

    Args:
        items: the stream.
        size: of a batch.
        has_arrived: returns whether the next item is there without waiting. A batch ends where it is not.
    """
    stream = iter(items)
    if has_arrived is None:
        while batch := list(islice(stream, size)):
            yield batch
        return
    for first in stream:
        batch = [first]
        while len(batch) < size and has_arrived() and (more := list(islice(stream, 1))):
            batch += more
        yield batch

"""The terms of an index: sorted, on disk, found by bisection."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Letters: TypeAlias = NDArray[np.uint8]


def join_terms(terms: Sequence[str]) -> tuple[Letters, NDArray[np.int64]]:
    """Return the UTF-8 of all terms, one after the other, and where each ends."""
    encoded = [term.encode() for term in terms]
    ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
    return np.frombuffer(b"".join(encoded), np.uint8), ends


class Vocabulary:
    """Numbers terms by their place in sorted order; nothing of it is read before it is asked for.

    The order of UTF-8 bytes is the order of Python's strings.
    """

    def __init__(self, letters: Letters, ends: NDArray[np.int64]) -> None:
        self._letters = memoryview(letters.data)
        self._ends = memoryview(ends.data)
        self.number = lru_cache(maxsize=1 << 16)(self._find)  # None for a term that is not in it

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> bytes:
        return self._letters[self._ends[number - 1] if number else 0 : self._ends[number]].tobytes()

    def _find(self, term: str) -> int | None:
        encoded = term.encode()
        number = bisect_left(self, encoded)
        return number if number < len(self) and self[number] == encoded else None

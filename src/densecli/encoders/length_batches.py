"""Batches of texts of like length, so that little is computed on padding."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def length_batches(sequences: Sequence[Sequence[int]], budget: int) -> list[NDArray[np.int64]]:
    """Return row numbers in batches, longest first; a batch holds at most `budget` padded tokens.

    A sequence longer than the budget gets a batch of its own; rows of equal length keep their order.
    """
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    # Longest first, so that a batch that is too large for memory fails early. Stable, so that
    # the batches do not depend on the platform's sort.
    order = np.argsort(-lengths, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + size])
        start += size
    return batches


def pad(
    sequences: Sequence[Sequence[int]], pad_id: int, length: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and mask, both (B, L), padded to the longest sequence, but to at least `length`."""
    longest = max(length, *map(len, sequences))
    ids = np.full((len(sequences), longest), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask

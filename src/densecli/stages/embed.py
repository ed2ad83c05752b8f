"""Passages to vectors with the passage tower (paper, section 3.1)."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from densecli.configs.corpus import EmbedConfig
from densecli.io.store.passages import PassageStore
from densecli.io.vectors.shards import FloatArray
from densecli.records import Passage

WINDOW = 2048


class Encoder(Protocol):
    """Turns passages into vectors."""

    def encode(self, passages: Sequence[Passage], /) -> FloatArray:
        """Return vectors (n, d) in the order given."""
        ...


def embed(
    store: PassageStore, encoder: Encoder, config: EmbedConfig, first_row: int = 0
) -> Iterator[tuple[int, FloatArray]]:
    """Yield `(first row, vectors (n, d))` for the passages from `first_row` on.

    Pieces never reach over a multiple of `config.shard_rows`, so shards are cut at the same rows
    whenever and wherever they are made.
    """
    size = min(WINDOW, config.shard_rows)
    for start in range(first_row, len(store), config.shard_rows):
        end = min(start + config.shard_rows, len(store))
        for row, passages in store.blocks(start, end, size):
            yield row, np.ascontiguousarray(encoder.encode(passages), dtype=np.float32)

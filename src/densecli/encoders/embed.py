"""Passages to vectors with the passage tower (paper, section 3.1)."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray
from densecli.configs.corpus import EmbedConfig
from densecli.encoders.encoding import Part
from densecli.records import Passage

# Passages that are tokenized together: enough of them to fill batches of one length.
WINDOW = 2048


class Encoder(Protocol):
    """Turns passages into vectors."""

    def encode_windows(self, windows: Iterable[Sequence[Passage]], /) -> Iterator[Part]:
        """Yield the vectors of all passages, batch by batch, window after window."""
        ...


@dataclass(frozen=True)
class Embedded:
    """What is embedded so far.

    Attributes:
        passages: how many passages of the store are done, counted from its first.
        tokens: word pieces of this run.
        finished: first row and vectors (n, d) of the rows that this step completes; None without any.
        cut: how many of these rows are longer than the encoder's limit.
    """

    passages: int
    tokens: int
    finished: tuple[int, FloatArray] | None
    cut: int = 0


def embed(
    store: PassageStore, encoder: Encoder, config: EmbedConfig, first_row: int = 0
) -> Iterator[Embedded]:
    """Embed the passages from `first_row` on, and report each batch.

    Finished rows come in order and never reach over a multiple of `config.shard_rows`, so shards are cut at
    the same rows whenever and wherever they are made.
    """
    begun: deque[tuple[int, int]] = deque()

    def windows() -> Iterator[Sequence[Passage]]:
        size = min(WINDOW, config.shard_rows)
        # windows restart at each shard, so that a shard has the same batches, and thereby the same bytes,
        # whether or not an earlier one was made in the same run
        for start in range(first_row, len(store), config.shard_rows):
            end = min(start + config.shard_rows, len(store))
            for row, passages in store.blocks(start, end, size):
                begun.append((row, len(passages)))
                yield passages

    passages, tokens, missing, cut = first_row, 0, 0, 0
    vectors = np.empty((0, 0), dtype=np.float32)
    for part in encoder.encode_windows(windows()):
        row, size = begun[0]
        if not missing:
            # a new array each time: the caller may still hold the one that was yielded
            vectors = np.empty((size, part.vectors.shape[1]), dtype=np.float32)
            missing, cut = size, part.cut
        vectors[part.rows] = part.vectors
        passages, tokens, missing = passages + len(part.rows), tokens + part.tokens, missing - len(part.rows)
        if not missing:
            begun.popleft()
        yield Embedded(passages, tokens, None if missing else (row, vectors), 0 if missing else cut)

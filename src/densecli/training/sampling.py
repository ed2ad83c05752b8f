"""Which examples form a batch when one or several sets are trained on."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Source:
    """One training set.

    Attributes:
        rows: its examples in a spool.
        rate: how often an epoch goes through it.
        name: the name for messages.
    """

    rows: Sequence[int]
    rate: float = 1.0
    name: str = ""

    def size(self, batch_size: int) -> int:
        """Return how many questions its batches have: fewer than asked for where the whole set has fewer."""
        return min(batch_size, len(self.rows))

    def batches(self, batch_size: int) -> int:
        """Return how many batches it gives to an epoch; one that would not be full is left out."""
        size = self.size(batch_size)
        # truncated after the rate is applied, as in the authors' DPR
        return int(len(self.rows) // size * self.rate) if size else 0


def epoch_batches(sources: Sequence[Source], batch_size: int, seed: int, epoch: int) -> Iterator[list[int]]:
    """Yield the rows of each batch of an epoch (0-based).

    A batch never mixes sets. Each set is shuffled by seed and epoch alone and read in that order, repeatedly
    if its rate is above 1. The order of the sets is shuffled too.
    """
    counts = [source.batches(batch_size) for source in sources]
    # shuffled by the same sums of seed and epoch as in the authors' DPR, so that its batches can be compared
    turns = [place for place, count in enumerate(counts) for _ in range(count)]
    random.Random(seed + epoch).shuffle(turns)
    cycles = [itertools.cycle(_shuffle(source.rows, seed + epoch)) for source in sources]
    for place in turns:
        yield list(itertools.islice(cycles[place], sources[place].size(batch_size)))


def first_examples(sources: Sequence[Source], count: int, seed: int) -> list[Source]:
    """Return the sources with `count` of their examples: the first of all after a shuffle.

    A smaller choice is part of a larger one by the same seed (paper, figure 1).
    """
    rows = _shuffle([row for source in sources for row in source.rows], seed)
    taken = set(rows[:count])
    return [replace(source, rows=[row for row in source.rows if row in taken]) for source in sources]


def _shuffle(rows: Sequence[int], seed: int) -> list[int]:
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    return shuffled

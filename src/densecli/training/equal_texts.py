"""Which passages of a batch are no negatives of a question, because they equal one of its positives."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from densecli.text.same_text import text_key

# Only passages whose sketches agree get as far as a key, and those come back in every epoch.
KEPT_KEYS = 4096
cached_key = lru_cache(maxsize=KEPT_KEYS)(text_key)


class BatchPassage(Protocol):
    """A passage as far as its text is compared with others."""

    @property
    def sketch(self) -> Hashable:
        """The same for texts that are the same, and cheap; see `text_sketch`."""
        ...

    def equals(self, other: "BatchPassage") -> bool:
        """Whether two passages of the same sketch have the same text, except for case, signs and spaces."""
        ...


def equal_columns(
    rights: Sequence[Sequence[BatchPassage]],
    columns: Sequence[BatchPassage],
    own: Callable[[int], range],
) -> Tensor | None:
    """Return (B, M), true where a question has a positive with the text of a passage, None where none has.

    Args:
        rights: for each of B questions, all passages that are known to be right, in the batch or not.
        columns: the M passages of the batch.
        own: the columns of a question's positives, which are never marked.
    """
    # looked up by sketch: comparing all texts with all others would be quadratic in the size of the batch
    places: dict[Hashable, list[int]] = defaultdict(list)
    for column, passage in enumerate(columns):
        places[passage.sketch].append(column)
    found = [
        (row, column)
        for row, right in enumerate(rights)
        for passage in right
        for column in places.get(passage.sketch, ())
        if column not in own(row) and passage.equals(columns[column])
    ]
    # the usual case; then no mask of (B, M) has to be sent to the GPU
    if not found:
        return None
    marked = torch.zeros(len(rights), len(columns), dtype=torch.bool)
    marked[tuple(torch.tensor(found).T)] = True
    return marked

"""Scores of questions with all stored vectors, computed part by part."""

from collections.abc import Iterator

import torch
from torch import Tensor

from densecli.artifacts.vectors import VectorStore

SCORES_AT_ONCE = 1 << 26
"""Scores in memory at once: 256 MiB."""
RUN = 64
"""Neighboring scores that first compete by their largest alone."""


class ExactSearch:
    """All vectors of a store; on a CPU they stay memory-mapped, on a GPU they are copied to it once."""

    def __init__(self, vectors: VectorStore, device: torch.device) -> None:
        """Open the vectors.

        Raises:
            ArtifactError: a shard is missing or damaged.
        """
        # from_numpy shares the memory of the map, so on a CPU a shard is read page by page during a search
        self._parts = [(first, torch.from_numpy(shard).to(device)) for first, shard in vectors.shards()]
        self._rows = len(vectors)

    def __len__(self) -> int:
        return self._rows

    def groups(self, count: int) -> Iterator[slice]:
        """Yield parts of `count` questions that are small enough to have all their scores in memory."""
        size = max(1, SCORES_AT_ONCE // max(1, self._rows))
        return (slice(start, start + size) for start in range(0, count, size))

    def scores(self, questions: Tensor) -> Tensor:
        """Return inner products (B, rows) of vectors (B, d) as search sees them."""
        scores = torch.empty(len(questions), self._rows, device=questions.device)
        for first, part in self._parts:
            scores[:, first : first + len(part)] = questions @ part.T
        return scores

    def mix(self, weights: Tensor) -> Tensor:
        """Return the sums (B, d) of all vectors by weights (B, rows)."""
        sums = [weights[:, first : first + len(part)] @ part for first, part in self._parts]
        return torch.stack(sums).sum(0)

    def best(self, questions: Tensor, count: int) -> Tensor:
        """Return the rows (B, k) with the highest inner products, best first; k is at most `count`."""
        found = [best_columns(self.scores(questions[part]), count) for part in self.groups(len(questions))]
        return torch.cat(found) if found else torch.zeros(0, 0, dtype=torch.int64)


def best_columns(scores: Tensor, count: int) -> Tensor:
    """Return the columns (B, k) of the highest scores (B, M), best first; k is at most `count`.

    They all lie in the `count` runs of columns with the highest maxima, which are found faster.
    """
    count = min(count, scores.shape[1])
    runs = scores.shape[1] // RUN
    # the runs would hold half of all scores or more, so a single pass is faster
    if runs <= 2 * count:
        return scores.topk(count, dim=1).indices
    whole = runs * RUN
    heads = scores[:, :whole].reshape(-1, runs, RUN).amax(2).topk(count, dim=1).indices
    within = torch.arange(RUN, device=scores.device)
    columns = (heads[:, :, None] * RUN + within).flatten(1)
    # the last columns fill no run; they are always looked at
    rest = torch.arange(whole, scores.shape[1], device=scores.device).expand(len(scores), -1)
    columns = torch.cat([columns, rest], dim=1)
    places = scores.gather(1, columns).topk(count, dim=1).indices
    return columns.gather(1, places)

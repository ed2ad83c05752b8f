"""BM25 and dense retrieval together (paper, section 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from densecli.configs.asking import SearchConfig
from densecli.ranking.fusion import add_weighted, or_lowest, reciprocal_ranks, spread_weights, union
from densecli.ranking.order import Rows, Scores, rank_by_score
from densecli.retrieval.search import DenseEngine


class LexicalEngine(Protocol):
    """Finds and scores passages by their words; `len` is the number of passages."""

    def __len__(self) -> int: ...

    def search(self, questions: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """Return rows (n, k), -1 where there are fewer, and scores (n, k), best first."""
        ...

    def score(self, questions: Sequence[str], rows: Rows) -> Scores:
        """Return the exact scores (n, m) of given passages, 0 beside -1."""
        ...


@dataclass(frozen=True)
class ProposedPassages:
    """The passages that either side proposes for n questions, scored by both.

    Attributes:
        rows: (n, m) each passage once, ascending; -1 at the end where there are fewer.
        words: (n, m) BM25 scores.
        dense: (n, m) inner products.
    """

    rows: Rows
    words: Scores
    dense: Scores


@dataclass(frozen=True)
class HybridEngine:
    """BM25 and a dense engine over the same passages, and how they are fused.

    Attributes:
        words: the BM25 side.
        dense: the dense side.
        config: how many passages each side proposes, and by which rule they are fused.
        weight: the paper's λ; None weighs each question by the spread of its scores.
    """

    words: LexicalEngine
    dense: DenseEngine
    config: SearchConfig
    weight: float | None

    def search(self, questions: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """Return rows (n, k), -1 where there are fewer, and fused scores (n, k), best first, ties by row."""
        if self.config.fusion == "rrf":
            depth = self.depth(k)
            # ranks alone count here, so no scores of the other side's passages are needed
            lists = [side.search(questions, depth)[0] for side in (self.words, self.dense)]
            rows = union(*lists)
            scores = reciprocal_ranks(rows, lists[0]) + reciprocal_ranks(rows, lists[1])
        else:
            both = self.propose(questions, k)
            rows = both.rows
            scores = add_weighted(both.words, both.dense, self._weights(both))
        rows, scores = rank_by_score(rows, scores)
        return rows[:, :k], scores[:, :k]

    def weight_of(self, question: str, k: int) -> float:
        """Return the λ for a question: the tuned one, or its own by the spread of its scores."""
        return float(np.ravel(self._weights(self.propose([question], k)))[0])

    def _weights(self, both: ProposedPassages) -> float | Scores:
        return spread_weights(both.rows, both.words, both.dense) if self.weight is None else self.weight

    def propose(self, questions: Sequence[str], k: int) -> ProposedPassages:
        """Return the union of what both sides rank first, scored by both: at least `k` deep.

        With `missing` as `min`, a passage that one side has not ranked so high gets the lowest score there
        in place of its own.
        """
        depth = self.depth(k)
        # encoded once, for the search and for the scores of BM25's passages
        vectors = self.dense.encoder.encode(questions)
        by_words, word_scores = self.words.search(questions, depth)
        by_dense, dense_scores = self.dense.index.search(vectors, depth)
        rows = union(by_words, by_dense)
        if self.config.missing == "min":
            words = or_lowest(rows, by_words, word_scores)
            return ProposedPassages(rows, words, or_lowest(rows, by_dense, dense_scores))
        return ProposedPassages(
            rows, self.words.score(questions, rows), self.dense.index.score(vectors, rows)
        )

    def depth(self, k: int) -> int:
        """Return how many passages each side proposes for the `k` best."""
        # the paper merges the first 2,000 of both sides, whatever k is
        return min(max(k, self.config.candidates), len(self.words))

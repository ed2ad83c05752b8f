"""Search by words: BM25 scores from an index that stays on disk."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from densecli.errors import ArtifactError
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.ranking.order import Rows, Scores

ANALYSIS = "analysis.json"
# The files of bm25s: the score of each (term, passage) pair, term after term. Reading them here, rather than
# through bm25s, saves its import and lets ties be broken by row.
PARAMETERS = "params.index.json"
VOCABULARY = "vocab.index.json"
ARRAYS = ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy")


class Bm25:
    """A BM25 index; `len` is its number of passages."""

    def __init__(
        self,
        analyzer: Analyzer,
        vocabulary: Mapping[str, int],
        postings: tuple[Scores, NDArray[np.int32], NDArray[np.int64]],
        passages: int,
    ) -> None:
        self._analyzer = analyzer
        self._vocabulary = vocabulary
        self._scores, self._rows, self._bounds = postings
        self._passages = passages

    def __len__(self) -> int:
        return self._passages

    @classmethod
    def open(cls, folder: Path) -> "Bm25":
        """Open the index in `folder`, its postings memory-mapped.

        Raises:
            ArtifactError: it is missing, incomplete or damaged.
        """
        try:
            analyzer = Analyzer(Analysis.from_json(orjson.loads((folder / ANALYSIS).read_bytes())))
            vocabulary = orjson.loads((folder / VOCABULARY).read_bytes())
            passages = int(orjson.loads((folder / PARAMETERS).read_bytes())["num_docs"])
            scores, rows, bounds = (np.asarray(np.load(folder / name, mmap_mode="r")) for name in ARRAYS)
            if not len(scores) == len(rows) == bounds[-1] or len(bounds) != len(vocabulary) + 1:
                raise ValueError("its files do not belong together")
        except (OSError, EOFError, re.error, ValueError, KeyError, TypeError, IndexError) as error:
            state = "no" if isinstance(error, FileNotFoundError) else "a damaged"
            raise ArtifactError(
                f"{folder}: {state} BM25 index ({error}); run `densecli index --kind bm25`"
            ) from None
        return cls(analyzer, vocabulary, (scores, rows, bounds), passages)

    def search(self, questions: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """Return the best `k` passages of each question.

        Only passages that share a term with the question are hits; a term that a question repeats counts as
        often. Equal scores are ordered by row.

        Returns:
            rows (n, k), -1 where there are fewer hits, and scores (n, k), best first, 0 beside -1.
        """
        rows = np.full((len(questions), k), -1, dtype=np.int64)
        scores = np.zeros((len(questions), k), dtype=np.float32)
        totals = np.zeros(self._passages, dtype=np.float32)
        for place, question in enumerate(questions):
            found = self._best(self._add_up(question, totals), k)
            rows[place, : len(found)] = found
            scores[place, : len(found)] = totals[found]
        return rows, scores

    def _add_up(self, question: str, totals: Scores) -> Scores:
        """Fill `totals` (one score per passage) for a question."""
        totals.fill(0)
        known = (self._vocabulary.get(term) for term in self._analyzer.terms(question))
        for term, times in Counter(number for number in known if number is not None).items():
            postings = slice(self._bounds[term], self._bounds[term + 1])
            # A passage stands once in a term's postings, so adding by index adds each.
            totals[self._rows[postings]] += self._scores[postings] * np.float32(times)
        return totals

    @staticmethod
    def _best(totals: Scores, k: int) -> Rows:
        """Return the rows of the `k` highest positive totals, best first, ties by row."""
        candidates = np.flatnonzero(totals > 0)
        if len(candidates) > k:
            values = totals[candidates]
            candidates = candidates[values >= np.partition(values, len(values) - k)[len(values) - k]]
        order = np.argsort(-totals[candidates], kind="stable")[:k]
        return candidates[order]

"""Search by words: BM25 scores from an index that stays on disk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from densecli.errors import ArtifactError
from densecli.lexical.best import WINDOW, Term, best
from densecli.lexical.formula import idf
from densecli.lexical.stored import open_index
from densecli.ranking.order import Rows, Scores


class Bm25:
    """A BM25 index; `len` is its number of passages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings, self._analyzer, self._vocabulary, self._postings = open_index(folder)

    def __len__(self) -> int:
        return self._settings.passages

    @classmethod
    def open(cls, folder: Path) -> "Bm25":
        """Open the index in `folder`, its postings memory-mapped.

        Raises:
            ArtifactError: it is missing, incomplete or damaged.
        """
        return cls(folder)

    def search(self, questions: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """Return the best `k` passages of each question.

        Only passages that share a term with the question are hits; a term that a question repeats counts as
        often. Equal scores are ordered by row.

        Returns:
            rows (n, k), -1 where there are fewer hits, and scores (n, k), best first, 0 beside -1.

        Raises:
            ArtifactError: the postings are damaged.
        """
        rows = np.full((len(questions), k), -1, dtype=np.int64)
        scores = np.zeros((len(questions), k), dtype=np.float32)
        # one buffer for all questions
        totals = np.empty(min(WINDOW, len(self)), np.float32)
        for place, question in enumerate(questions):
            try:
                found, its_scores = best(self._terms(question), k, len(self), totals)
            except IndexError:
                raise self._damage_error() from None
            rows[place, : len(found)] = found
            scores[place, : len(found)] = its_scores
        return rows, scores

    def score(self, questions: Sequence[str], rows: Rows) -> Scores:
        """Return the exact scores of given passages.

        Args:
            questions: n of them.
            rows: (n, m) passages for each question, in any order; -1 means none.

        Returns:
            scores (n, m), the same bits as from `search`; 0 beside -1 and where passage and question share
            no term.

        Raises:
            ArtifactError: the postings are damaged.
        """
        scores = np.zeros(rows.shape, dtype=np.float32)
        for question, wanted, its_scores in zip(questions, rows.astype(np.int32), scores, strict=True):
            try:
                for term in self._terms(question):
                    its_scores += term.scores_of(wanted)
            except IndexError:
                raise self._damage_error() from None
        return scores

    def term_scores(self, question: str, rows: Rows) -> dict[str, Scores]:
        """Return what each term of a question adds to the scores (m,) of given passages.

        Args:
            question: its terms are stemmed; those that no passage has are left out.
            rows: (m,) passages; -1 means none.

        Raises:
            ArtifactError: the postings are damaged.
        """
        times = Counter(self._analyzer.terms(question))
        numbers = {term: self._vocabulary.number(term) for term in times}
        try:
            return {
                term: self._weigh({number: times[term]})[0].scores_of(rows.astype(np.int32))
                for term, number in numbers.items()
                if number is not None
            }
        except IndexError:
            raise self._damage_error() from None

    def _damage_error(self) -> ArtifactError:
        return ArtifactError(
            f"{self._folder}: a damaged BM25 index; run `densecli index --kind bm25 --force`"
        )

    def _terms(self, question: str) -> list[Term]:
        """Return the known terms of a question, those that can add most first."""
        known = (self._vocabulary.number(term) for term in self._analyzer.terms(question))
        return self._weigh(Counter(number for number in known if number is not None))

    def _weigh(self, times: Mapping[int, int]) -> list[Term]:
        """Return terms, those that can add most first, given how often the question has each number."""
        if not times:
            return []
        numbers = np.array(sorted(times))
        begins, ends = self._postings.bounds[numbers], self._postings.bounds[numbers + 1]
        # a damaged file is noticed here, since numpy would quietly take another part of the array
        if begins.min() < 0 or (begins >= ends).any() or ends.max() > len(self._postings.rows):
            raise IndexError("postings that overlap")
        weights = idf(len(self), ends - begins) * np.array([times[n] for n in numbers.tolist()], np.float32)
        most = self._postings.best[numbers] * weights
        return [
            Term(
                self._postings.rows[begins[place] : ends[place]],
                self._postings.grades[begins[place] : ends[place]],
                self._postings.saturation,
                weights[place],
                float(most[place]),
            )
            for place in np.argsort(-most, kind="stable").tolist()
        ]

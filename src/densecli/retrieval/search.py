"""Questions to ranked lists (paper, section 3.1)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray
from densecli.batches import batched
from densecli.errors import ArtifactError
from densecli.ranking.order import Rows, Scores
from densecli.records import Question, RankedList, ScoredPassage
from densecli.text.answers import AnswerMatcher


class Engine(Protocol):
    """Anything that finds passages for questions."""

    def search(self, questions: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """Return rows (n, k), -1 where there are fewer, and scores (n, k), best first."""
        ...


class Encoder(Protocol):
    """Turns questions into vectors, with compiled or with torch towers."""

    @property
    def fingerprint(self) -> str:
        """What ties vectors to the model."""
        ...

    @property
    def passage_tower(self) -> str:
        """What ties passage vectors to its model."""
        ...

    def encode(self, questions: Sequence[str], /) -> FloatArray:
        """Return vectors (n, d)."""
        ...


class Index(Protocol):
    """Finds the nearest of the passages' vectors."""

    @property
    def scanned_bytes(self) -> int:
        """Bytes that a search reads; 0 if it reads only a small part."""
        ...

    def search(self, questions: FloatArray, k: int) -> tuple[Rows, Scores]:
        """Return rows (n, k) and inner products (n, k), best first."""
        ...

    def score(self, questions: FloatArray, rows: Rows) -> Scores:
        """Return the inner products (n, m) of given passages, 0 beside -1."""
        ...


@dataclass(frozen=True)
class DenseEngine:
    """The question tower and the index of passage vectors: sim(q, p) of equation 1."""

    encoder: Encoder
    index: Index

    def search(self, questions: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """Return rows (n, k) and inner products (n, k), best first."""
        return self.index.search(self.encoder.encode(questions), k)

    def score(self, questions: Sequence[str], rows: Rows) -> Scores:
        """Return the exact inner products (n, m) of given passages, 0 beside -1."""
        return self.index.score(self.encoder.encode(questions), rows)


def search(
    questions: Iterable[Question],
    engine: Engine,
    store: PassageStore,
    k: int,
    batch_size: int,
    counts: Counter[str],
    has_arrived: Callable[[], bool] | None = None,
) -> Iterator[RankedList]:
    """Yield one ranked list for each question, in order; questions are batched as `batched` does.

    `has_answer` is set where the question has answers. Questions for which nothing is found get an
    empty list and are counted.

    Raises:
        ArtifactError: a score is not finite.
    """
    for batch in batched(questions, batch_size, has_arrived):
        rows, scores = engine.search([question.question for question in batch], k)
        for question, its_rows, its_scores in zip(batch, rows, scores, strict=True):
            found = its_rows >= 0
            its_rows, its_scores = its_rows[found], its_scores[found]
            if not np.isfinite(its_scores).all():
                raise ArtifactError(
                    f"question {question.id!r} gets scores that are not finite: the retriever or an index is"
                    " damaged; make them again with `force`"
                )
            counts["questions"] += 1
            matcher = AnswerMatcher(question.answers, question.answer_type) if question.answers else None
            passages = store.take(its_rows.tolist())
            counts["without_result"] += not passages
            yield RankedList(
                question,
                tuple(
                    ScoredPassage(passage, score, matcher.found_in(passage.text) if matcher else None)
                    for passage, score in zip(passages, its_scores.tolist(), strict=True)
                ),
            )

"""How well the question tower finds answers among all stored passages."""

from collections.abc import Sequence

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.errors import UsageError
from densecli.records import Question
from densecli.retrieval.passage_cache import AnswerChecker, PassageCache
from densecli.training.exact_search import ExactSearch
from densecli.training.forward import vectors_of
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.stored import Stored


class SearchValidator:
    """Dev questions with answers, and the vectors that they are searched in."""

    def __init__(
        self,
        questions: Sequence[Question],
        stored: Stored,
        search: ExactSearch,
        config: TrainConfig,
        precision: torch.dtype,
        ranks: ProcessGroup = ALONE,
    ) -> None:
        """Take the first `config.dev_questions` that have an answer; each of several `ranks` asks a part.

        Raises:
            UsageError: there is none.
        """
        self._texts = PassageCache(stored.passages)
        self._search = search
        usable = [one for one in questions if AnswerChecker(one, self._texts).matcher.usable]
        self._questions = usable[: config.dev_questions]
        if not self._questions:
            raise UsageError(
                "no dev question has an answer that could be found in a passage; `dev` needs such answers"
            )
        self._k = config.validate_k
        self._precision = precision
        self._ranks = ranks

    def validate(self, retriever: Retriever) -> tuple[dict[str, float], tuple[float, ...]]:
        """Return the measures by name, and their rank among others: higher is better.

        `top_1` and `top_K` are the shares of questions with an answer in their best 1 and K passages.
        `reciprocal_rank` is the mean of 1 / rank of the first passage that holds one, 0 where it is not among
        the best K; it decides between equal shares.
        """
        tower, tokens = retriever.question.eval(), retriever.tokens
        own = self._ranks.select_own(self._questions)
        pieces = tokens.questions([one.question for one in own])
        with torch.no_grad():
            vectors = tower.finish(vectors_of(tower, pieces, tokens.pad, self._precision))
            # exact search: an approximate index would measure itself, too
            best = self._search.best(vectors, self._k).tolist()
        places = [self._first(one, rows) for one, rows in zip(own, best, strict=True)]
        found = [(float(place == 1), float(place > 0), 1 / place if place else 0.0) for place in places]
        total = self._ranks.sum_rows(found, 3)
        first, top, reciprocal = (value / len(self._questions) for value in total)
        measures = {"top_1": first, f"top_{self._k}": top, "reciprocal_rank": reciprocal}
        return measures | {"questions": len(self._questions), "pool": len(self._search)}, (top, reciprocal)

    def _first(self, question: Question, rows: Sequence[int]) -> int:
        """Return the rank of the first passage that holds an answer, from 1; 0 where none does."""
        checker = AnswerChecker(question, self._texts)
        return next((rank for rank, row in enumerate(rows, 1) if checker.holds(row)), 0)

"""Negatives from all stored passages: every one of them, or the best of each question."""

from collections.abc import Sequence, Set
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_tower import Tower
from densecli.retrieval.passage_cache import HELD, AnswerChecker, PassageCache
from densecli.text.same_text import text_sketch
from densecli.training.equal_texts import cached_key
from densecli.training.exact_search import ExactSearch, best_columns
from densecli.training.examples import digest
from densecli.training.objective import Objective
from densecli.training.passage_vectors import PassageVectors
from densecli.training.question_batches import KnownSample, numbers_of
from densecli.training.ranks import ProcessGroup
from densecli.training.stored import Stored


class IndexNegatives:
    """Negatives that questions are compared with in addition to the passages of their batch.

    A passage is left out for a question where it is one of its positives, has the text of one, or holds an
    answer. Texts are read only of the best passages of a question, since a passage far down hardly
    counts. The result depends on the current question tower alone, so a training that resumes finds the same.
    """

    def __init__(
        self,
        stored: Stored,
        search: ExactSearch,
        vectors: PassageVectors,
        tower: Tower,
        objective: Objective,
        config: TrainConfig,
        ranks: ProcessGroup,
    ) -> None:
        """Prepare to find negatives.

        Args:
            stored: the collection.
            search: its vectors.
            vectors: gives vectors by row.
            tower: the question tower.
            objective: what is trained.
            config: says which passages are compared, and how many are searched for answers.
            ranks: the processes that train together; each finds the negatives of its own questions.
        """
        self._search = search
        self._texts = PassageCache(stored.passages)
        self._sketch = lru_cache(maxsize=HELD)(self._read_sketch)
        self._vectors = vectors
        self._tower = tower
        self._objective = objective
        self._depth = config.index_depth
        self._checked = config.check_depth
        self._ranks = ranks

    def compare(self, questions: Tensor, picks: Sequence[KnownSample]) -> tuple[Tensor, Tensor]:
        """Return scores (B, K) of questions with passages outside of their batch, and the highest (B,).

        Where all passages are compared K is 1: the score is the logarithm of the sum of exp(score) over them,
        which has the same effect in a softmax as all of these scores.

        Args:
            questions: vectors (B, d) as pooled; gradients flow back to them.
            picks: the questions, and what they bring to the batch.
        """
        if self._depth is None:
            return self._with_all(questions, picks)
        return self._with_best(questions, picks, self._depth)

    def _with_all(self, questions: Tensor, picks: Sequence[KnownSample]) -> tuple[Tensor, Tensor]:
        # Autograd would keep the scores of all passages until the backward pass. The gradient of log sum
        # exp(q.p) by q is the mean of all p, weighted by their softmax; it is cheap here, where the scores
        # are at hand.
        seen, temperature = self._tower.finish(questions), self._objective.temperature
        own = self._ranks.part(len(picks))
        found = [torch.zeros(0, 2 + seen.shape[1], device=seen.device)]
        with torch.no_grad():
            for part in self._search.groups(len(own)):
                rows = own[part]
                scores = self._search.scores(seen[rows.start : rows.stop])
                best, holds = self._best_and_answers(scores, picks[rows.start : rows.stop], self._checked)
                scores.scatter_(1, best, scores.gather(1, best).masked_fill(holds, -torch.inf))
                # in place from here on: a second matrix of this size would double the memory
                scores /= temperature
                highest, sums = scores.amax(1, keepdim=True), scores.logsumexp(1, keepdim=True)
                weights = scores.sub_(sums).exp_().nan_to_num_(0.0)  # not a number if no passage is left
                # one table, so that processes exchange it at once
                found.append(torch.cat([highest, sums, self._search.mix(weights) / temperature], dim=1))
            table = self._ranks.rows(torch.cat(found), own, len(picks))
        mass: Tensor = _Mass.apply(seen, table[:, 1:2], table[:, 2:])  # type: ignore[no-untyped-call]
        return mass, table[:, 0]

    def _with_best(
        self, questions: Tensor, picks: Sequence[KnownSample], depth: int
    ) -> tuple[Tensor, Tensor]:
        own, depth = self._ranks.part(len(picks)), min(depth, len(self._search))
        found = [torch.zeros(0, 2 * depth, dtype=torch.int64, device=questions.device)]
        with torch.no_grad():
            seen = self._tower.finish(questions.detach())
            for part in self._search.groups(len(own)):
                rows = own[part]
                scores = self._search.scores(seen[rows.start : rows.stop])
                best, holds = self._best_and_answers(scores, picks[rows.start : rows.stop], depth)
                found.append(torch.cat([best, holds.long()], dim=1))
            table = self._ranks.rows(torch.cat(found), own, len(picks)).cpu().numpy()
        in_batch = self._objective.in_batch
        lists, right = table[:, :depth], table[:, depth:] > 0
        # sorted by setdiff1d, so all processes have the same columns; those of the batch are compared already
        union = np.setdiff1d(lists[~right], np.array(numbers_of(picks) if in_batch else [], dtype=np.int64))
        # With in-batch negatives every question is compared with what was found for any other. Whether such a
        # passage holds its answer is known only where it is in its own list.
        compared = np.full((len(picks), len(union)), in_batch)
        for line, one, best_rows, answered in zip(compared, picks, lists, right, strict=True):
            line[np.isin(union, best_rows)] = True
            line[np.isin(union, [*best_rows[answered], *one.right_numbers, *numbers_of([one])])] = False
        scores = self._objective.similarities(questions, self._vectors.take(union.tolist()))
        scores = scores.masked_fill(~torch.from_numpy(compared).to(scores.device), -torch.inf)
        none = scores.new_full((len(picks), 1), -torch.inf)
        return scores, torch.cat([scores.detach(), none], dim=1).amax(1)

    def _best_and_answers(
        self, scores: Tensor, picks: Sequence[KnownSample], depth: int
    ) -> tuple[Tensor, Tensor]:
        """Return the best rows (B, k) of each question, and which of them hold an answer (B, k).

        Args:
            scores: (B, rows); those of positives become -inf.
            picks: the questions.
            depth: k, unless there are fewer rows.
        """
        for row, one in enumerate(picks):
            # higher numbers are passages that the collection does not have
            scores[row, [number for number in one.right_numbers if number < len(self._search)]] = -torch.inf
        best = best_columns(scores, depth)
        holds = torch.zeros(best.shape, dtype=torch.bool)
        for line, one, rows in zip(holds, picks, best.tolist(), strict=True):
            checker = AnswerChecker(one.question, self._texts)
            sketches = {right.sketch for right in one.right}
            line[: self._checked] = torch.tensor(
                [
                    (checker.matcher.usable and checker.holds(row)) or self._is_positive(row, one, sketches)
                    for row in rows[: self._checked]
                ]
            )
        return best, holds.to(best.device)

    def _read_sketch(self, row: int) -> int:
        return digest(text_sketch(self._texts.at(row).passage.text))

    def _is_positive(self, row: int, pick: KnownSample, sketches: Set[int]) -> bool:
        """Whether a passage of the collection has the text of a positive under another id."""
        if self._sketch(row) not in sketches:
            return False
        key = cached_key(self._texts.at(row).passage.text)
        return any(cached_key(self._vectors.text(one.place)) == key for one in pick.right)


class _Mass(torch.autograd.Function):
    """Logarithms of sums of exp(score), whose gradients by the questions were computed with them."""

    @staticmethod
    def forward(ctx: Any, questions: Tensor, mass: Tensor, pull: Tensor) -> Tensor:
        ctx.save_for_backward(pull)
        return mass.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (pull,) = ctx.saved_tensors
        return gradients[0] * pull, None, None

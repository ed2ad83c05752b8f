"""Dev passages that every dev question is ranked against."""

import numpy as np
import torch
from torch import Tensor

from densecli.encoders.torch_base import Retriever
from densecli.records import Passage
from densecli.text.answers import AnswerMatcher
from densecli.training.examples import ExampleSpool
from densecli.training.forward import vectors_of
from densecli.training.objective import Objective
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.stored import Stored

PASSAGES_AT_ONCE = 4096
# 64 MiB of float32.
SCORES_AT_ONCE = 1 << 24


class DevPool:
    """The first dev questions, and the passages of all of them.

    Its length counts passages of the same title and text once.
    """

    def __init__(
        self, dev: ExampleSpool, questions: int, hard: int, other: int, stored: Stored | None = None
    ) -> None:
        """Collect each question's first positive, and its first `other` and `hard` negatives.

        A question without hard ones brings the first of the others a second time, as in DPR. The passage
        tower need not encode what is `stored`.
        """
        self._stored = stored
        self._questions: list[str] = []
        self._positives: list[int] = []
        self._matchers: list[AnswerMatcher] = []
        self._passages: list[Passage] = []
        self._times: list[int] = []
        self._fixed: Tensor | None = None
        rows: dict[tuple[str, str], int] = {}
        for number in range(min(questions, len(dev))):
            example = dev[number]
            hards = (example.hard_negatives or example.negatives)[:hard]
            for passage in (example.positives[0], *example.negatives[:other], *hards):
                row = rows.setdefault((passage.title, passage.text), len(rows))
                if row == len(self._passages):
                    self._passages.append(passage)
                    self._times.append(0)
                self._times[row] += 1
            positive = example.positives[0]
            self._positives.append(rows[positive.title, positive.text])
            self._questions.append(example.question.question)
            self._matchers.append(AnswerMatcher(example.question.answers, example.question.answer_type))

    def __len__(self) -> int:
        return len(self._passages)

    def rank(
        self,
        retriever: Retriever,
        objective: Objective,
        k: int,
        precision: torch.dtype,
        ranks: ProcessGroup = ALONE,
    ) -> tuple[list[int], list[bool]]:
        """Return each question's rank of its positive, from 0, and whether the best k passages answer it.

        A passage brought by several questions counts as often for the rank, as in DPR's average rank; one
        with the same score as the positive ranks below it. Answers are matched as for top-k accuracy (paper,
        section 5.1); a question without any is answered by its positive. Each of several `ranks` encodes a
        part of the passages, and all find the same.
        """
        tokens = retriever.tokens
        asked = vectors_of(retriever.question, tokens.questions(self._questions), tokens.pad, precision)
        passages_vectors = self._fixed
        if passages_vectors is None:
            passages_vectors = self._vectors(retriever, precision, ranks)
            # a fixed tower gives the same vectors after every epoch
            self._fixed = None if retriever.passage.trainable else passages_vectors
        times = torch.tensor(self._times, device=passages_vectors.device)
        places: list[int] = []
        hits: list[bool] = []
        step = max(1, SCORES_AT_ONCE // len(self))
        for start in range(0, len(asked), step):
            scores = objective.similarities(asked[start : start + step], passages_vectors)
            positives = torch.tensor(self._positives[start : start + step], device=passages_vectors.device)
            # strictly above, so the positive itself does not count and need not be masked
            above = scores > scores.gather(1, positives[:, None])
            places += (above * times).sum(1).tolist()
            best = scores.topk(min(k, len(self)), dim=1).indices.tolist()
            hits += (self._is_answered(start + number, found) for number, found in enumerate(best))
        return places, hits

    def _vectors(self, retriever: Retriever, precision: torch.dtype, ranks: ProcessGroup) -> Tensor:
        tokens = retriever.tokens
        at_hand = [None if self._stored is None else self._stored.row_of(one) for one in self._passages]
        others = [number for number, row in enumerate(at_hand) if row is None]
        own: list[int] = []
        # an empty part first: with several processes this one may have no passages to encode
        parts = [vectors_of(retriever.passage, [], tokens.pad, precision)]
        for start in ranks.select_own(range(0, len(others), PASSAGES_AT_ONCE)):
            numbers = others[start : start + PASSAGES_AT_ONCE]
            pieces = tokens.passages([self._passages[number] for number in numbers])
            parts.append(vectors_of(retriever.passage, pieces, tokens.pad, precision))
            own += numbers
        vectors = ranks.rows(torch.cat(parts), own, len(self))
        if self._stored is not None:
            known = [number for number, row in enumerate(at_hand) if row is not None]
            rows = np.array([row for row in at_hand if row is not None], dtype=np.int64)
            found = self._stored.pool(rows, retriever.model_config.similarity)
            vectors[known] = torch.from_numpy(found).to(vectors.device)
        return vectors

    def _is_answered(self, number: int, found: list[int]) -> bool:
        matcher = self._matchers[number]
        if not matcher.usable:
            return self._positives[number] in found
        return any(matcher.found_in(self._passages[row].text) for row in found)

"""What a training minimises: a similarity, a loss, and which passages a question is compared with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from densecli.configs.training import TrainConfig
from densecli.training.loss import nll, triplet
from densecli.training.similarity import SIMILARITIES


@dataclass(frozen=True, slots=True)
class Objective:
    """The scheme of a training (paper, section 5.2, table 3, and appendix B).

    Attributes:
        similarity: `dot`, `cosine` or `l2`.
        temperature: what similarities are divided by.
        loss: `nll` or `triplet`.
        margin: by how much the triplet loss wants a positive's score above a negative's.
        in_batch: all passages of the batch are compared with every question; else only its own.
    """

    similarity: str = "dot"
    temperature: float = 1.0
    loss: str = "nll"
    margin: float = 1.0
    in_batch: bool = True

    @classmethod
    def of(cls, config: TrainConfig, similarity: str) -> "Objective":
        """Take the objective of a model with that similarity from a training's settings.

        Only cosines have a temperature.
        """
        temperature = config.temperature if similarity == "cosine" else 1.0
        return cls(similarity, temperature, config.loss, config.triplet_margin, config.in_batch)

    def similarities(self, questions: Tensor, passages: Tensor) -> Tensor:
        """Return scores (B, M) of every question with every passage, from vectors as pooled."""
        return SIMILARITIES[self.similarity](questions, passages) / self.temperature

    def scores(self, questions: Tensor, passages: Tensor, owners: Tensor) -> Tensor:
        """Return scores (B, M), -inf where a question is not compared with a passage.

        Args:
            questions: vectors (B, d), as pooled.
            passages: vectors (M, d) of all questions' positives and negatives, as pooled.
            owners: the row of the question that brought each passage, (M,) int64.
        """
        scores = self.similarities(questions, passages)
        if self.in_batch:
            return scores
        rows = torch.arange(len(questions), device=scores.device)
        return scores.masked_fill(owners != rows[:, None], -torch.inf)

    def losses(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Return the loss of each question (B,) from scores (B, M) and its positive's column (B,)."""
        return nll(scores, positives) if self.loss == "nll" else triplet(scores, positives, self.margin)

"""What a training minimizes: a similarity, a loss, and which passages a question is compared with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from densecli.configs.training import TrainConfig
from densecli.training.loss import distillation, marginal_nll, nll, triplet
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
        distill: the share of the loss that is distillation from a teacher.
        teacher_temperature: what teacher scores are divided by.
    """

    similarity: str = "dot"
    temperature: float = 1.0
    loss: str = "nll"
    margin: float = 1.0
    in_batch: bool = True
    distill: float = 0.0
    teacher_temperature: float = 1.0

    @classmethod
    def of(cls, config: TrainConfig, similarity: str) -> "Objective":
        """Take the objective of a model with that similarity from a training's settings.

        Only cosines have a temperature.
        """
        # A softmax over numbers in [-1, 1] is nearly flat and would teach little. Inner products and
        # distances have no bounds, so the model finds their scale itself, as in the paper.
        temperature = config.temperature if similarity == "cosine" else 1.0
        return cls(
            similarity,
            temperature,
            config.loss,
            config.triplet_margin,
            config.in_batch,
            config.distill or 0.0,
            config.teacher_temperature,
        )

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
        return self.compare(self.similarities(questions, passages), owners)

    def compare(self, scores: Tensor, owners: Tensor) -> Tensor:
        """Return similarities (B, M) with -inf where a question is not compared with a passage."""
        return scores if self.in_batch else scores.masked_fill(~_own_columns(scores, owners), -torch.inf)

    def losses(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Return the loss of each question (B,) from scores (B, M).

        `positives` are the columns of one positive each (B,), or true in the columns of all (B, M); then the
        loss is the negative log likelihood of any of them.
        """
        if positives.dtype == torch.bool:
            return marginal_nll(scores, positives)
        return nll(scores, positives) if self.loss == "nll" else triplet(scores, positives, self.margin)

    def distill_losses(self, losses: Tensor, scores: Tensor, owners: Tensor, teacher: Tensor) -> Tensor:
        """Return the losses (B,) with the share of distillation in them.

        The teacher's probabilities are those of a question's own passages. A question that has but one, or
        whose passages do not all have a teacher score, keeps its loss.

        Args:
            losses: (B,), from `losses`.
            scores: (B, M), from `similarities`.
            owners: the row of the question that brought each passage, (M,) int64.
            teacher: the teacher's score of each passage for its owner, (M,) float32; NaN where it has none.
        """
        own = _own_columns(scores, owners)
        known = ~(own & teacher.isnan()).any(1) & (own.sum(1) > 1)
        # a NaN that is multiplied by 0 stays a NaN, and would spoil the gradient of every question
        wanted = (teacher.nan_to_num() / self.teacher_temperature).expand_as(scores)
        found = distillation(scores.masked_fill(~own, -torch.inf), wanted.masked_fill(~own, -torch.inf))
        return torch.where(known, (1 - self.distill) * losses + self.distill * found, losses)


def _own_columns(scores: Tensor, owners: Tensor) -> Tensor:
    """Return (B, M), true in the columns of passages that a question brought itself."""
    return owners == torch.arange(len(scores), device=scores.device)[:, None]

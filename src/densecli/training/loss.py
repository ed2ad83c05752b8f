"""What each question of a batch loses; its scores are -inf in columns that it is not compared with."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def nll(scores: Tensor, positives: Tensor) -> Tensor:
    """Return negative log likelihoods of the positives (paper, equation 2), one for each question.

    Args:
        scores: (B, M), higher is more alike.
        positives: column of each question's positive, (B,) int64.
    """
    return cross_entropy(scores, positives, reduction="none")


def marginal_nll(scores: Tensor, positives: Tensor) -> Tensor:
    """Return negative log likelihoods of meeting any of the positives (paper, appendix D, after ORQA).

    A question with one positive loses what it loses by `nll`.

    Args:
        scores: (B, M).
        positives: true in the columns of each question's positives, (B, M) bool; at least one in each row.
    """
    return scores.logsumexp(1) - scores.masked_fill(~positives, -torch.inf).logsumexp(1)


def triplet(scores: Tensor, positives: Tensor, margin: float) -> Tensor:
    """Return triplet losses (paper, appendix B), one for each question.

    Each negative should score lower than the positive by `margin`; what is missing is averaged over
    the question's negatives. A question without any loses nothing.
    """
    columns = torch.arange(scores.shape[1], device=scores.device)
    negative = (scores != -torch.inf) & (columns != positives[:, None])
    missing = (margin - scores.gather(1, positives[:, None]) + scores).clamp(min=0)
    return missing.where(negative, 0).sum(1) / negative.sum(1).clamp(min=1)


def distillation(scores: Tensor, teacher: Tensor) -> Tensor:
    """Return the KL divergence of each question's probabilities from the teacher's, one for each question.

    Args:
        scores: (B, M), -inf in columns that a question is not compared with.
        teacher: (B, M) scores of the teacher, -inf in the same columns; at least one in each row is finite.
    """
    expected = teacher.softmax(1)
    compared = teacher != -torch.inf
    difference = teacher.log_softmax(1) - scores.log_softmax(1)
    # outside of what is compared both are -inf, and their difference is no number
    return (expected * difference.where(compared, 0)).sum(1)

"""Losses of the questions of a batch. Scores are -inf where a question is not compared with a passage."""

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

    For a question with one positive this is `nll`.

    Args:
        scores: (B, M).
        positives: true in the columns of each question's positives, (B, M) bool; at least one in each row.
    """
    # -log of the sum of the positives' probabilities, as a difference of logarithms so that nothing
    # underflows
    return scores.logsumexp(1) - scores.masked_fill(~positives, -torch.inf).logsumexp(1)


def triplet(scores: Tensor, positives: Tensor, margin: float) -> Tensor:
    """Return triplet losses (paper, appendix B), one for each question.

    Each negative should score lower than the positive by `margin`. The loss is the mean of what is missing
    over the question's negatives, and 0 for a question without negatives.

    Args:
        scores: (B, M), -inf in columns that a question is not compared with.
        positives: column of each question's positive, (B,) int64.
        margin: the margin, in units of the scores.
    """
    columns = torch.arange(scores.shape[1], device=scores.device)
    negative = (scores != -torch.inf) & (columns != positives[:, None])
    missing = (margin - scores.gather(1, positives[:, None]) + scores).clamp(min=0)
    # `where` also drops the positive's own column, which would lack exactly the margin
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
    # both are -inf in columns that are not compared, and -inf - -inf is not a number
    return (expected * difference.where(compared, 0)).sum(1)

"""The loss: negative log likelihood of the positive passage among all of the batch."""

from torch import Tensor
from torch.nn import functional


def in_batch_nll(questions: Tensor, passages: Tensor, positives: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean loss (equation 2 of the paper) and how many questions score their positive highest.

    Args:
        questions: vectors (B, d).
        passages: vectors (M, d) of all questions' positives and negatives.
        positives: column of each question's positive, (B,) int64.
    """
    scores = questions @ passages.T
    correct = (scores.argmax(dim=1) == positives).sum()
    return functional.cross_entropy(scores, positives), correct

"""The reader's training loss (paper, section 6.1)."""

from torch import Tensor


def span_loss(start: Tensor, end: Tensor, readable: Tensor, spans: Tensor, valid: Tensor) -> Tensor:
    """Return -log of the probability of the answer in the positive passage, per question.

    The probability is marginal: the sum over all spans that hold the answer of P_start(first) x P_end(last).

    Args:
        start: (Q, L) start logits of the positive passages.
        end: (Q, L) end logits.
        readable: (Q, L) true where an answer may start or end; the softmaxes run over these positions.
        spans: (Q, S, 2) first and last position of each answer span, both included.
        valid: (Q, S) true for real spans; at least one in each row.

    Returns:
        (Q,) losses.
    """
    # over the readable positions; in DPR these are all, also those of question, title and padding
    log_start = start.masked_fill(~readable, float("-inf")).log_softmax(-1)
    log_end = end.masked_fill(~readable, float("-inf")).log_softmax(-1)
    log_spans = log_start.gather(1, spans[:, :, 0]) + log_end.gather(1, spans[:, :, 1])
    # logsumexp of logarithms: the sum of the probabilities would underflow
    return -log_spans.masked_fill(~valid, float("-inf")).logsumexp(-1)


def relevance_loss(relevance: Tensor, real: Tensor) -> Tensor:
    """Return -log of the probability that the positive passage is the one selected, per question.

    Args:
        relevance: (Q, M) relevance logits, the positive passage in column 0.
        real: (Q, M) false for rows that hold no passage; these do not take part in the softmax.

    Returns:
        (Q,) losses.
    """
    return -relevance.masked_fill(~real, float("-inf")).log_softmax(-1)[:, 0]

"""How sure a mean is, and whether two runs differ: bootstrap intervals and paired randomization tests.

Both draw questions at random many times. What a draw comes to depends only on how often each distinct value
is drawn, so those counts are drawn (multinomial, binomial) in place of single questions: the distribution is
the same, and the cost does not grow with the number of questions.
"""

from collections.abc import Sequence

import numpy as np

from densecli.evaluation.accuracy import Values

LEVEL = 0.95
ALPHA = 0.05
CELLS = 4_000_000
"""Numbers drawn at once: 32 MB."""


def bootstrap_interval(values: Values, resamples: int, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean of (n,) values of as many questions, n > 0.

    A resample draws n questions with replacement.
    """
    distinct, counts = np.unique(values, return_counts=True)
    shares = counts / counts.sum()
    random = np.random.default_rng(seed)
    means = [
        random.multinomial(len(values), shares, size=size) @ distinct / len(values)
        for size in _portions(resamples, len(distinct))
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def paired_test(one: Values, other: Values, resamples: int, seed: int) -> float:
    """Return the two-sided p-value of a paired randomization test that the means of two runs are equal.

    Under that hypothesis the two values of a question may change places. A resample lets a fair coin decide
    for each question; p is the share of resamples, the observed one among them, that differ at least as much
    as the runs do.

    Args:
        one: (n,) values of one run.
        other: (n,) values of the other, for the same questions in the same order.
        resamples: how many are drawn.
        seed: the seed of the coins.
    """
    # differences that are equal on paper differ in their last bits, and would not be one value
    sizes, counts = np.unique(np.abs(np.round(one - other, 12)), return_counts=True)
    moved = sizes > 0
    sizes, counts = sizes[moved], counts[moved]
    # a little less, so that resamples with the same difference count despite rounding
    observed = abs(float((one - other).sum())) - 1e-9
    random = np.random.default_rng(seed)
    extreme = 0
    for size in _portions(resamples, len(sizes)):
        heads = random.binomial(counts, 0.5, size=(size, len(sizes)))
        extreme += int((np.abs((2 * heads - counts) @ sizes) >= observed).sum())
    # the observed arrangement is one of the possible ones, so p is never 0
    return (extreme + 1) / (resamples + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number after Holm (1979), in the same order.

    With those below 0.05 taken for differences, the chance that any of them is none stays below 0.05.
    """
    corrected = [0.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = least
    return corrected


def _portions(resamples: int, width: int) -> list[int]:
    """Return numbers of resamples that are drawn together, so that memory stays bounded."""
    most = max(1, CELLS // max(1, width))
    full, rest = divmod(resamples, most)
    return [most] * full + ([rest] if rest else [])

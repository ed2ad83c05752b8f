"""How alike questions and passages are (paper, equation 1, section 5.2 and appendix B)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize


def dot(questions: Tensor, passages: Tensor) -> Tensor:
    """Return inner products (B, M) of vectors (B, d) and (M, d)."""
    return questions @ passages.T


def cosine(questions: Tensor, passages: Tensor) -> Tensor:
    """Return cosines (B, M), between -1 and 1."""
    return normalize(questions, dim=-1) @ normalize(passages, dim=-1).T


def l2(questions: Tensor, passages: Tensor) -> Tensor:
    """Return Euclidean distances (B, M), negated so that higher is more alike.

    Differences are taken one by one: the short way through inner products loses small distances.
    """
    return -torch.cdist(questions, passages, compute_mode="donot_use_mm_for_euclid_dist")


SIMILARITIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"dot": dot, "cosine": cosine, "l2": l2}

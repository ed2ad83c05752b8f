"""From hidden states to one vector per text (paper, section 3.1 takes the `[CLS]` state)."""

import numpy as np
from numpy.typing import NDArray

from densecli.models.folder import RetrieverConfig
from densecli.models.weights import FloatArray


def pool(hidden: FloatArray, mask: NDArray[np.int64], pooling: str) -> FloatArray:
    """Return vectors (B, H) from hidden states (B, L, H).

    Args:
        hidden: last hidden states.
        mask: (B, L), 1 where there is a token.
        pooling: `cls` takes the first state, `mean` the mean over the tokens.
    """
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask.astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    means: FloatArray = np.einsum("bl,blh->bh", weights, hidden)
    return means


def finish(vectors: FloatArray, model_config: RetrieverConfig, side: str) -> FloatArray:
    """Return the vectors that search sees, whose inner products rank as `model_config.similarity` does.

    For `l2` a component is added: 1 to a question q, -|p|²/2 to a passage p. Then the inner product is
    (|q|² - |q - p|²) / 2, which orders the passages of one question exactly as their distances do; what
    it lacks of the distance is the same for all of them.

    Args:
        vectors: pooled, and projected where the model does that, (B, d).
        model_config: the properties of the model.
        side: `question` or `passage`.
    """
    if model_config.normalize:
        # 1e-12 as in torch.nn.functional.normalize, so that both give the same; a zero vector stays zero
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    if model_config.similarity == "l2":
        # added to the vectors, because an index of inner products can then search by distance, too
        halves = np.square(vectors).sum(axis=1, keepdims=True) / -2
        more = np.ones_like(halves) if side == "question" else halves
        vectors = np.concatenate([vectors, more], axis=1)
    return np.ascontiguousarray(vectors, dtype=np.float32)

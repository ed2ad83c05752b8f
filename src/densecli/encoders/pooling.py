"""From hidden states to one vector per text (paper, section 3.1 takes the `[CLS]` state)."""

import numpy as np
from numpy.typing import NDArray

from densecli.encoders.weights import FloatArray


def pool(hidden: FloatArray, mask: NDArray[np.int64], pooling: str, normalize: bool) -> FloatArray:
    """Return vectors (B, H) from hidden states (B, L, H).

    Args:
        hidden: last hidden states.
        mask: (B, L), 1 where there is a token.
        pooling: `cls` takes the first state, `mean` the mean over the tokens.
        normalize: scale each vector to length 1.
    """
    if pooling == "cls":
        vectors = hidden[:, 0]
    else:
        weights = mask.astype(np.float32)
        weights /= weights.sum(axis=1, keepdims=True)
        vectors = np.einsum("bl,blh->bh", weights, hidden)
    if normalize:
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.ascontiguousarray(vectors, dtype=np.float32)

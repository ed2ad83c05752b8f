import numpy as np
import pytest

from densecli.encoders.pooling import pool

HIDDEN = np.array([[[1, 2], [3, 4], [50, 60]], [[1, 0], [0, 1], [2, 2]]], dtype=np.float32)
MASK = np.array([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("pooling", "normalize", "expected"),
    [
        ("cls", False, [[1, 2], [1, 0]]),
        ("mean", False, [[2, 3], [1, 1]]),
        ("mean", True, [[2 / 13**0.5, 3 / 13**0.5], [0.5**0.5, 0.5**0.5]]),
    ],
)
def test_padding_never_counts(pooling: str, normalize: bool, expected: list[list[float]]) -> None:
    found = pool(HIDDEN, MASK, pooling, normalize)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)

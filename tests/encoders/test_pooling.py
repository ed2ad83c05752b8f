from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from densecli.encoders.pooling import finish, pool
from densecli.models.folder import RetrieverConfig
from densecli.models.weights import FloatArray

HIDDEN = np.array([[[1, 2], [3, 4], [50, 60]], [[1, 0], [0, 1], [2, 2]]], dtype=np.float32)
MASK = np.array([[1, 1, 0], [1, 1, 1]])
WHOLE = st.integers(-8, 8).map(float)  # sums of their squares are exact in float32


@pytest.mark.parametrize(
    ("pooling", "normalize", "expected"),
    [
        ("cls", False, [[1, 2], [1, 0]]),
        ("mean", False, [[2, 3], [1, 1]]),
        ("mean", True, [[2 / 13**0.5, 3 / 13**0.5], [0.5**0.5, 0.5**0.5]]),
    ],
)
def test_padding_is_ignored(pooling: str, normalize: bool, expected: list[list[float]]) -> None:
    model_config = RetrieverConfig(pooling=pooling, normalize=normalize)
    found = finish(pool(HIDDEN, MASK, pooling), model_config, "question")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(arrays(np.float32, (3, 5), elements=WHOLE), arrays(np.float32, (7, 5), elements=WHOLE))
def test_inner_products_rank_by_distance(questions: FloatArray, passages: FloatArray) -> None:
    model_config = RetrieverConfig(similarity="l2")
    scores = finish(questions, model_config, "question") @ finish(passages, model_config, "passage").T
    distances = np.square(questions[:, None] - passages[None]).sum(axis=2)
    np.testing.assert_array_equal(np.square(questions).sum(axis=1)[:, None] - 2 * scores, distances)
    assert model_config.dimension(5) == 6


def test_distance_components_are_added_to_unit_vectors() -> None:
    model_config = RetrieverConfig(similarity="l2", normalize=True)
    passages = finish(np.array([[3, 4], [0, 0]], dtype=np.float32), model_config, "passage")
    np.testing.assert_allclose(passages, [[0.6, 0.8, -0.5], [0, 0, 0]], rtol=1e-6)
    plain = finish(np.array([[3, 4]], dtype=np.float32), replace(model_config, similarity="dot"), "passage")
    np.testing.assert_allclose(plain, [[0.6, 0.8]], rtol=1e-6)

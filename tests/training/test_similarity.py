import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from densecli.training.similarity import SIMILARITIES, l2

VECTORS = st.integers(1, 4).flatmap(
    lambda d: st.tuples(*[
        st.lists(st.lists(st.floats(-9, 9, width=32), min_size=d, max_size=d), min_size=1, max_size=4)
        for _ in range(2)
    ])
)  # fmt: skip


def by_loop(name: str, question: list[float], passage: list[float]) -> float:
    inner = sum(q * p for q, p in zip(question, passage, strict=True))
    if name == "dot":
        return inner
    if name == "cosine":
        lengths = [max(1e-12, math.hypot(*vector)) for vector in (question, passage)]
        return inner / lengths[0] / lengths[1]
    return -math.dist(question, passage)


@pytest.mark.parametrize("name", ["dot", "cosine", "l2"])
@given(VECTORS)
def test_scores_of_all_pairs_match_a_loop(
    name: str, vectors: tuple[list[list[float]], list[list[float]]]
) -> None:
    questions, passages = vectors
    found = SIMILARITIES[name](*(torch.tensor(rows) for rows in vectors)).tolist()
    for row, question in zip(found, questions, strict=True):
        assert row == pytest.approx([by_loop(name, question, p) for p in passages], rel=1e-4, abs=1e-3)


def test_close_and_equal_vectors_have_exact_distances_and_gradients() -> None:
    questions = (torch.full((30, 64), 100.0)).requires_grad_()
    passages = torch.full((30, 64), 100.0)
    passages[:, 0] += torch.arange(30) / 1000
    found = l2(questions, passages)
    torch.testing.assert_close(found[0], -(passages[:, 0] - 100), atol=1e-5, rtol=1e-4)
    found.sum().backward()
    assert questions.grad is not None
    assert questions.grad.isfinite().all()

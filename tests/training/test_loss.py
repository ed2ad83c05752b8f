import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from densecli.training.loss import distillation, marginal_nll, nll, triplet

INF = math.inf


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[list[float]], list[int]]:
    """Rows of scores in which some columns, never the positive's, are left out."""
    columns = draw(st.integers(1, 6))
    rows = draw(st.integers(1, 4))
    score = st.one_of(st.just(-INF), st.floats(-20, 20, width=32))
    positives = [draw(st.integers(0, columns - 1)) for _ in range(rows)]
    scores = [[draw(score) for _ in range(columns)] for _ in range(rows)]
    for row, positive in zip(scores, positives, strict=True):
        row[positive] = max(row[positive], -20.0)
    return scores, positives


@given(scored())
def test_nll_matches_a_loop(case: tuple[list[list[float]], list[int]]) -> None:
    scores, positives = case
    expected = [
        math.log(sum(math.exp(score) for score in row)) - row[positive]
        for row, positive in zip(scores, positives, strict=True)
    ]
    assert nll(torch.tensor(scores), torch.tensor(positives)).tolist() == pytest.approx(expected, abs=1e-4)


@given(scored(), st.data())
def test_marginal_nll_matches_a_loop(case: tuple[list[list[float]], list[int]], data: st.DataObject) -> None:
    scores, first = case
    others = st.lists(st.booleans(), min_size=len(scores[0]), max_size=len(scores[0]))
    positives = [
        [wanted or column == one for column, wanted in enumerate(data.draw(others))] for one in first
    ]
    expected = []
    for row, wanted in zip(scores, positives, strict=True):
        met = sum(math.exp(score) for score, counts in zip(row, wanted, strict=True) if counts)
        expected.append(-math.log(met / sum(math.exp(score) for score in row)))
    found = marginal_nll(torch.tensor(scores), torch.tensor(positives))
    assert found.tolist() == pytest.approx(expected, abs=1e-4)
    alone = torch.nn.functional.one_hot(torch.tensor(first), len(scores[0])).bool()
    one = nll(torch.tensor(scores), torch.tensor(first))
    torch.testing.assert_close(marginal_nll(torch.tensor(scores), alone), one, atol=1e-5, rtol=1e-5)


@given(scored(), st.floats(0, 5))
def test_triplet_loss_matches_a_loop(case: tuple[list[list[float]], list[int]], margin: float) -> None:
    scores, positives = case
    expected = []
    for row, positive in zip(scores, positives, strict=True):
        negatives = [score for column, score in enumerate(row) if column != positive and score > -INF]
        missing = [max(0.0, margin - row[positive] + score) for score in negatives]
        expected.append(sum(missing) / len(missing) if missing else 0.0)
    assert triplet(torch.tensor(scores), torch.tensor(positives), margin).tolist() == pytest.approx(
        expected, abs=1e-4
    )


@pytest.mark.parametrize("loss", [nll, lambda scores, positives: triplet(scores, positives, 1.0)])
def test_excluded_columns_get_no_gradient(loss) -> None:
    scores = torch.tensor([[1.0, -INF, 0.5], [0.2, 0.1, 3.0]], requires_grad=True)
    loss(scores, torch.tensor([0, 1])).sum().backward()
    assert scores.grad is not None
    assert scores.grad[0, 1] == 0
    assert scores.grad.isfinite().all()
    assert (scores.grad[1] != 0).all()


@given(scored(), st.data())
def test_distillation_loss_matches_a_loop(
    case: tuple[list[list[float]], list[int]], data: st.DataObject
) -> None:
    scores, _ = case
    score = st.floats(-20, 20, width=32)
    teacher = [[data.draw(score) if one > -INF else -INF for one in row] for row in scores]
    expected = []
    for ours, theirs in zip(scores, teacher, strict=True):
        mine, wanted = (
            [math.exp(one) / sum(math.exp(other) for other in row) for one in row] for row in (ours, theirs)
        )
        expected.append(sum(q * math.log(q / p) for p, q in zip(mine, wanted, strict=True) if q > 0))
    found = torch.tensor(scores, requires_grad=True)
    losses = distillation(found, torch.tensor(teacher))
    assert losses.tolist() == pytest.approx(expected, abs=1e-3)
    losses.sum().backward()
    assert found.grad is not None
    assert found.grad.isfinite().all()

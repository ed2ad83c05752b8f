"""The reader's loss, against the reference's value and the formula in plain arithmetic."""

import math

import pytest
import torch

from densecli.reader.torch_loss import relevance_loss, span_loss


def test_the_sum_over_questions_matches_the_reference(golden):
    """The reference sums over questions and softmaxes over every position: all are readable here."""
    case = golden["loss"]
    questions, passages, length = case["N"], case["M"], case["L"]
    start = torch.tensor(case["start_logits"]).view(questions, passages, length)[:, 0]
    end = torch.tensor(case["end_logits"]).view(questions, passages, length)[:, 0]
    spans = torch.stack([torch.tensor(case["start"])[:, 0], torch.tensor(case["end"])[:, 0]], dim=-1)
    valid = torch.tensor(case["mask"])[:, 0].bool()
    everywhere = torch.ones(questions, length, dtype=torch.bool)
    relevance = torch.tensor(case["relevance_logits"])
    losses = span_loss(start, end, everywhere, spans, valid)
    losses = losses + relevance_loss(relevance, torch.ones_like(relevance, dtype=torch.bool))
    assert losses.sum().item() == pytest.approx(case["loss"], abs=1e-5)
    assert losses.mean().item() == pytest.approx(10.4524536 / 2, abs=1e-5)


def test_span_loss_adds_the_probabilities_of_all_valid_spans():
    start, end = torch.log(torch.tensor([[0.1, 0.2, 0.7]])), torch.log(torch.tensor([[0.5, 0.3, 0.2]]))
    spans = torch.tensor([[[0, 1], [2, 2], [1, 1]]])
    valid = torch.tensor([[True, True, False]])
    everywhere = torch.ones(1, 3, dtype=torch.bool)
    expected = -math.log(0.1 * 0.3 + 0.7 * 0.2)
    assert span_loss(start, end, everywhere, spans, valid).item() == pytest.approx(expected)


def test_invalid_positions_get_no_probability():
    start, end = torch.tensor([[50.0, 1.0, 2.0, 50.0]]), torch.tensor([[50.0, 3.0, 1.0, 50.0]])
    readable = torch.tensor([[False, True, True, False]])
    spans, valid = torch.tensor([[[1, 2]]]), torch.tensor([[True]])
    inner = span_loss(start[:, 1:3], end[:, 1:3], torch.ones(1, 2, dtype=torch.bool), spans - 1, valid)
    assert span_loss(start, end, readable, spans, valid).item() == pytest.approx(inner.item())


def test_rows_without_a_passage_are_ignored():
    relevance = torch.tensor([[1.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    real = torch.tensor([[True, True, False], [True, False, False]])
    expected = [math.log(1 + math.e), 0.0]
    assert relevance_loss(relevance, real).tolist() == pytest.approx(expected, abs=1e-6)


def test_gradients_stay_finite_beside_masked_entries():
    start = torch.zeros(1, 4, requires_grad=True)
    end = torch.zeros(1, 4, requires_grad=True)
    relevance = torch.zeros(1, 3, requires_grad=True)
    readable = torch.tensor([[False, True, True, False]])
    loss = span_loss(start, end, readable, torch.tensor([[[1, 2], [0, 0]]]), torch.tensor([[True, False]]))
    (loss + relevance_loss(relevance, torch.tensor([[True, True, False]]))).sum().backward()
    assert all(torch.isfinite(leaf.grad).all() for leaf in (start, end, relevance))
    assert start.grad[0].tolist() == pytest.approx([0.0, -0.5, 0.5, 0.0])

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from densecli.training.optimizer import Optimizer, rate_factor

SCHEDULE = json.loads((Path(__file__).parents[1] / "golden" / "batching.json").read_text())["lr_schedule"]


def test_the_learning_rate_matches_the_reference() -> None:
    for point in SCHEDULE["factors"]:
        found = rate_factor(point["step"], SCHEDULE["warmup"], SCHEDULE["total"])
        assert found == pytest.approx(point["factor"], rel=1e-9)


@pytest.mark.parametrize(("step", "warmup", "steps"), [(0, 0, 1), (5, 5, 5), (3, 9, 4)])
def test_unusual_schedules_stay_between_0_and_1(step: int, warmup: int, steps: int) -> None:
    assert 0 < rate_factor(step, warmup, steps) <= 1


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.LayerNorm = nn.LayerNorm(2)


def stepped(gradient: float, decay: float, norm: float = 1e6) -> tuple[Block, float]:
    block = Block()
    for weight in block.parameters():
        nn.init.ones_(weight)
        weight.grad = torch.full_like(weight, gradient)
    optimizer = Optimizer([block, block], 0.1, decay, norm, warmup_steps=0, steps=10)
    before = optimizer.clip()
    optimizer.step()
    return block, before


def test_weight_decay_applies_to_matrices_only() -> None:
    block, _ = stepped(gradient=0.0, decay=0.5)
    torch.testing.assert_close(block.dense.weight, torch.full((2, 2), 0.95))
    for weight in (block.dense.bias, block.LayerNorm.weight, block.LayerNorm.bias):
        torch.testing.assert_close(weight, torch.ones(2))


def test_gradients_are_cleared_and_their_norm_is_returned() -> None:
    block, norm = stepped(gradient=2.0, decay=0.0)
    assert norm == pytest.approx(2 * 10**0.5)
    assert all(weight.grad is None for weight in block.parameters())


def test_clipping_limits_the_norm_over_all_modules() -> None:
    blocks = [Block(), Block()]
    for weight in (w for block in blocks for w in block.parameters()):
        weight.grad = torch.full_like(weight, 3.0)
    Optimizer(blocks, 0.1, 0.0, 2.0, 0, 10).clip()
    total = sum(w.grad.square().sum() for block in blocks for w in block.parameters() if w.grad is not None)
    assert float(total) ** 0.5 == pytest.approx(2.0, rel=1e-4)

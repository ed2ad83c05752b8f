"""What is kept of a training brings it back bit for bit, after any update."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from densecli.artifacts.recipe import Input, Recipe
from densecli.configs.training import FittingConfig
from densecli.errors import ArtifactError
from densecli.training.checkpoint import (
    TrainProgress,
    TrainState,
    read_checkpoint,
    read_note,
    write_checkpoint,
)
from densecli.training.optimizer import Optimizer

CONFIG = FittingConfig(learning_rate=0.1, weight_decay=0.1, warmup_steps=2)
STEPS = 6
RECIPE = Recipe("train", {"a": 1}, (Input("x", "d1"), Input("-")))


class Net(nn.Module):
    """Two layers, of which one has a weight that no gradient reaches, and one that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.second, self.idle = nn.Linear(5, 4), nn.Linear(4, 1), nn.Linear(2, 2)
        self.first.bias.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).tanh())


def begun() -> tuple[Net, TrainState]:
    net = Net()
    return net, TrainState([net, net], Optimizer.of([net, net], CONFIG, STEPS, torch.float32))


def go_on(net: Net, state: TrainState, start: int, end: int) -> None:
    for step in range(start, end):
        torch.manual_seed(step)
        net(torch.randn(7, 5)).square().mean().backward()
        state.optimizer.clip()
        state.optimizer.step()


def state_of(net: Net, state: TrainState) -> Iterator[tuple[str, Tensor]]:
    yield from net.state_dict().items()
    yield from state.tensors().items()


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_training_resumed_at_any_step_gives_the_same_bits(tmp_path: Path, step: int) -> None:
    whole = begun()
    go_on(*whole, 0, STEPS)
    before = begun()
    go_on(*before, 0, step)
    progress = TrainProgress(step, STEPS, (0.5,), (0.1, -2.0) if step else None, step, 1)
    write_checkpoint(tmp_path, before[1], progress, RECIPE)
    after = begun()
    assert read_checkpoint(tmp_path, after[1]) == progress
    assert after[1].optimizer.learning_rate == before[1].optimizer.learning_rate
    go_on(*after, step, STEPS)
    expected = dict(state_of(*whole))
    assert "step.0" in expected
    assert all(torch.equal(value, expected.pop(name)) for name, value in state_of(*after))
    assert not expected
    note = read_note(tmp_path)
    assert note is not None
    assert (note.config, note.inputs) == (RECIPE.config, RECIPE.inputs)


def test_infinite_ranks_survive_a_round_trip(tmp_path: Path) -> None:
    progress = TrainProgress(1, 2, untrained=(0.0, -torch.inf), best=(0.5, -torch.inf))
    _, state = begun()
    write_checkpoint(tmp_path, state, progress, RECIPE)
    assert read_checkpoint(tmp_path, state) == progress
    assert progress.improved
    assert replace(progress, best=None).improved is None


@pytest.mark.parametrize("damage", ["note", "other", "cut", "gone", "empty", "text"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    net, state = begun()
    go_on(net, state, 0, 2)
    write_checkpoint(tmp_path, state, TrainProgress(2, STEPS), RECIPE)
    note, weights = tmp_path / "note.json", tmp_path / "state.safetensors"
    if damage == "note":
        note.write_text("{")
    elif damage == "empty":
        note.write_text(json.dumps({}))
    elif damage == "text":
        note.write_text(note.read_text().replace('"step": 2', '"step": "two"'))
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-9])
    elif damage == "gone":
        weights.unlink()
    else:
        other = nn.Linear(3, 2)
        state = TrainState([other], Optimizer.of([other], CONFIG, STEPS, torch.float32))
    with pytest.raises(ArtifactError):
        read_checkpoint(tmp_path, state)


def test_without_a_checkpoint_no_note_is_read(tmp_path: Path) -> None:
    assert read_note(tmp_path) is None

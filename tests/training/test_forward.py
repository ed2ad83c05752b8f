from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from densecli.encoders.torch_dropout import seeded_dropout, set_dropout
from densecli.encoders.torch_start import open_base
from densecli.encoders.torch_tower import Tower
from densecli.training import forward
from densecli.training.forward import TowerPass, bytes_to_keep, vectors_of

SEQUENCES = [[2, 5 + n, *range(10, 10 + 3 * n), 3] for n in (4, 1, 6, 1, 0, 3)]
EVERYTHING = float("inf")


@pytest.fixture
def tower(tiny_base: Path) -> Tower:
    return open_base(str(tiny_base), None, 64, 256).question


def learnt(tower: Tower, keep_bytes: float, precision: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Vectors and gradients of a fixed pull on them, with the dropout of one seed."""
    tower.zero_grad()
    with seeded_dropout(torch.device("cpu"), 11):
        run = TowerPass(tower, SEQUENCES, 0, precision, keep_bytes)
        pull = torch.arange(run.vectors.numel(), dtype=torch.float32).reshape(run.vectors.shape) / 100
        (run.vectors * pull).sum().backward()  # type: ignore[no-untyped-call]
        run.backward()
    grads = {
        name: weight.grad.clone() for name, weight in tower.named_parameters() if weight.grad is not None
    }
    return {"vectors": run.vectors.detach(), **grads}


def by_one(tower: Tower) -> dict[str, Tensor]:
    """The same without dropout, chunks or padding."""
    tower.zero_grad()
    alone = torch.cat([
        tower.pool(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)) for ids in SEQUENCES
    ])  # fmt: skip
    pull = torch.arange(alone.numel(), dtype=torch.float32).reshape(alone.shape) / 100
    (alone * pull).sum().backward()  # type: ignore[no-untyped-call]
    grads = {
        name: weight.grad.clone() for name, weight in tower.named_parameters() if weight.grad is not None
    }
    return {"vectors": alone.detach(), **grads}


@pytest.mark.parametrize("budget", [1, 25, 10_000])
@pytest.mark.parametrize("keep_bytes", [0, EVERYTHING])
def test_chunks_change_neither_vectors_nor_gradients(
    tower: Tower, monkeypatch: pytest.MonkeyPatch, budget: int, keep_bytes: float
) -> None:
    expected = by_one(tower.eval())
    monkeypatch.setitem(forward.CHUNK_TOKENS, "cpu", budget)
    found = learnt(tower, keep_bytes)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], atol=2e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_recomputed_activations_are_the_same_with_dropout(
    tower: Tower, monkeypatch: pytest.MonkeyPatch, precision: torch.dtype
) -> None:
    monkeypatch.setitem(forward.CHUNK_TOKENS, "cpu", 25)
    set_dropout(tower, 0.3)
    tower.train()
    whole = learnt(tower, EVERYTHING, precision)
    again = learnt(tower, EVERYTHING, precision)
    kept_one = TowerPass(tower, SEQUENCES, 0, precision, keep_bytes=1).kept_bytes
    assert 0 < kept_one < TowerPass(tower, SEQUENCES, 0, precision, EVERYTHING).kept_bytes
    for keep_bytes in (0, 1, kept_one + 1):
        cached = learnt(tower, keep_bytes, precision)
        for name, value in whole.items():
            assert torch.equal(value, again[name])
            torch.testing.assert_close(cached[name], value, atol=1e-5, rtol=0, msg=name)
    tower.eval()
    assert not torch.allclose(learnt(tower, EVERYTHING, precision)["vectors"], whole["vectors"], atol=1e-2)


def test_every_chunk_has_its_own_dropout(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(forward.CHUNK_TOKENS, "cpu", 1)
    set_dropout(tower, 0.3)
    rows = vectors_of(tower.train(), [[2, 7, 8, 3]] * 4, 0, torch.float32)
    assert not any(torch.allclose(one, other) for one, other in pairwise(rows))


def test_a_frozen_tower_gets_no_gradient(tower: Tower) -> None:
    run = TowerPass(tower.requires_grad_(False), SEQUENCES, 0, torch.float32, EVERYTHING)
    assert not run.vectors.requires_grad
    assert run.kept_bytes == 0
    run.backward()
    assert all(weight.grad is None for weight in tower.parameters())


def test_bfloat16_leaves_weights_and_gradients_in_float32(tower: Tower) -> None:
    exact = learnt(tower.eval(), 0)
    quick = learnt(tower, 0, torch.bfloat16)
    assert {value.dtype for value in quick.values()} == {torch.float32}
    assert 0 < (quick["vectors"] - exact["vectors"]).abs().max() < 0.1


def test_the_default_memory_budget_on_a_cpu_is_four_gibibytes() -> None:
    assert bytes_to_keep(None, torch.device("cpu")) == 4 * 2**30
    assert bytes_to_keep(0.5, torch.device("cpu")) == 2**29

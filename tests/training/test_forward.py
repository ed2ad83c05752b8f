from pathlib import Path

import pytest
import torch

from densecli.encoders.torch_base import open_retriever
from densecli.training import forward
from densecli.training.forward import vectors_of

SEQUENCES = [[2, 5 + n, *range(10, 10 + 3 * n), 3] for n in (4, 1, 6, 1, 0, 3)]


@pytest.mark.parametrize("budget", [1, 25, 10_000])
def test_chunks_change_neither_vectors_nor_gradients(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    tower = open_retriever(str(tiny_base)).question.eval()
    alone = torch.cat(
        [tower(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)) for ids in SEQUENCES]
    )
    pull = torch.arange(alone.numel(), dtype=torch.float32).reshape(alone.shape) / 100
    (alone * pull).sum().backward()
    expected = {
        name: weight.grad.clone() for name, weight in tower.named_parameters() if weight.grad is not None
    }
    tower.zero_grad()
    monkeypatch.setitem(forward.CHUNK_TOKENS, "cpu", budget)
    found = vectors_of(tower, SEQUENCES, 0, torch.float32)
    (found * pull).sum().backward()
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=0)
    for name, weight in tower.named_parameters():
        torch.testing.assert_close(weight.grad, expected.get(name), atol=2e-4, rtol=1e-4)


def test_bfloat16_leaves_weights_and_gradients_in_float32(tiny_base: Path) -> None:
    tower = open_retriever(str(tiny_base)).question.eval()
    exact = vectors_of(tower, SEQUENCES, 0, torch.float32)
    quick = vectors_of(tower, SEQUENCES, 0, torch.bfloat16)
    quick.sum().backward()
    assert quick.dtype == torch.float32
    assert 0 < (quick - exact).abs().max() < 0.1
    kinds = {weight.grad.dtype for weight in tower.parameters() if weight.grad is not None}
    assert kinds == {torch.float32}

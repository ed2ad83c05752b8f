from pathlib import Path

import pytest
import torch

from densecli.encoders.torch_dropout import seeded_dropout
from densecli.encoders.torch_start import open_base
from densecli.training.forward import TowerPass
from densecli.training.prepare import prepare

SEQUENCES = [[2, *range(10, 10 + length), 3] for length in (30, 20, 9)]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_checkpointed_layers_give_the_same_gradients_with_less_memory(
    tiny_base: Path, precision: torch.dtype
) -> None:
    found, kept = [], []
    for twice in (False, True):
        retriever = open_base(str(tiny_base), None, 64, 64)
        prepare(retriever, 0.2, False, torch.device("cpu"), gradient_checkpointing=twice)
        with seeded_dropout(torch.device("cpu"), 3):
            run = TowerPass(retriever.question.train(), SEQUENCES, 0, precision, float("inf"))
            run.vectors.square().sum().backward()  # type: ignore[no-untyped-call]
            run.backward()
        found.append([weight.grad for weight in retriever.question.parameters()])
        kept.append(run.kept_bytes)
    for plain, checkpointed in zip(*found, strict=True):
        torch.testing.assert_close(plain, checkpointed, atol=1e-5, rtol=1e-5)
    assert kept[1] < kept[0] / 4

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from densecli.training.loss import in_batch_nll

CASES = json.loads((Path(__file__).parents[1] / "golden" / "inbatch_loss.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_loss_hits_and_gradients_are_the_references(case: dict[str, Any]) -> None:
    questions, passages = (
        torch.tensor(case[name], requires_grad=True) for name in ("q_vectors", "ctx_vectors")
    )
    loss, correct = in_batch_nll(questions, passages, torch.tensor(case["positive_idx"]))
    scaled = loss * (case["loss_scale"] or 1)
    scaled.backward()
    assert scaled.item() == pytest.approx(case["loss"], abs=1e-5)
    assert int(correct) == case["correct"]
    torch.testing.assert_close(questions.grad, torch.tensor(case["grad_q"]), atol=1e-5, rtol=0)
    torch.testing.assert_close(passages.grad, torch.tensor(case["grad_ctx"]), atol=1e-5, rtol=0)

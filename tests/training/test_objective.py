import json
from pathlib import Path
from typing import Any

import pytest
import torch

from densecli.configs.training import TrainConfig
from densecli.training.batches import Batch
from densecli.training.objective import Objective

CASES = json.loads((Path(__file__).parents[1] / "golden" / "inbatch_loss.json").read_text())["cases"]
UNEVEN = Batch(("a", "b", "c"), [[1]] * 3, [[1]] * 7, (0, 3, 4))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_loss_hits_and_gradients_match_the_reference(case: dict[str, Any]) -> None:
    questions, passages = (
        torch.tensor(case[name], requires_grad=True) for name in ("q_vectors", "ctx_vectors")
    )
    positives = torch.tensor(case["positive_idx"])
    objective = Objective()
    scores = objective.scores(questions, passages, torch.zeros(len(passages), dtype=torch.long))
    loss = objective.losses(scores, positives).mean() * (case["loss_scale"] or 1)
    loss.backward()
    assert loss.item() == pytest.approx(case["loss"], abs=1e-5)
    assert int((scores.argmax(dim=1) == positives).sum()) == case["correct"]
    torch.testing.assert_close(questions.grad, torch.tensor(case["grad_q"]), atol=1e-5, rtol=0)
    torch.testing.assert_close(passages.grad, torch.tensor(case["grad_ctx"]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("batch", "in_batch"),
    [
        (UNEVEN, True),
        (UNEVEN, False),
        (Batch(("a", "b"), [[1]] * 2, [[1]] * 2, (0, 1)), True),
        (Batch(("a", "b"), [[1]] * 2, [[1]] * 6, (0, 3)), True),
        (Batch(("a", "b"), [[1]] * 2, [[1]] * 6, (0, 3)), False),
    ],
    ids=["uneven", "uneven 1-of-N", "gold only", "two hard ones", "1-of-3"],
)
def test_a_question_is_compared_with_the_passages_of_its_scheme(batch: Batch, in_batch: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    questions, passages = (
        torch.randn(len(rows), 5, generator=generator) for rows in (batch.questions, batch.passages)
    )
    scores = Objective(in_batch=in_batch).scores(questions, passages, torch.tensor(batch.owners))
    ends = [*batch.positives[1:], len(batch.passages)]
    for row, (start, end) in enumerate(zip(batch.positives, ends, strict=True)):
        for column in range(len(batch.passages)):
            seen = in_batch or start <= column < end
            expected = float(questions[row] @ passages[column]) if seen else -torch.inf
            assert scores[row, column].item() == pytest.approx(expected, abs=1e-5)


def test_the_objective_follows_the_settings() -> None:
    config = TrainConfig(
        temperature=0.5, loss="triplet", triplet_margin=2, in_batch=False, distill=0.5, teacher_temperature=3
    )
    assert Objective.of(config, "cosine") == Objective("cosine", 0.5, "triplet", 2, False, 0.5, 3)
    assert Objective.of(config, "l2") == Objective("l2", 1.0, "triplet", 2, False, 0.5, 3)
    assert Objective.of(TrainConfig(), "dot").distill == 0


def test_the_temperature_divides_cosines() -> None:
    question, passage = torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0]])
    assert Objective("cosine", 0.1).similarities(question, passage).item() == pytest.approx(6.0)


NAN = float("nan")


def test_distillation_uses_the_own_passages_of_a_question() -> None:
    scores = torch.tensor([[1.0, 0.0, 9.0, 9.0, 9.0], [9.0, 9.0, 2.0, 0.5, 1.0]])
    owners = torch.tensor([0, 0, 1, 1, 1])
    teacher = torch.tensor([4.0, 2.0, 0.0, 0.0, 0.0])
    losses = torch.tensor([10.0, 20.0])
    objective = Objective(distill=0.25, teacher_temperature=2.0)
    found = objective.distill_losses(losses, scores, owners, teacher)
    # the teacher gives the first question's passages 2 and 1, ours gives 1 and 0: the same probabilities
    assert found[0].item() == pytest.approx(0.75 * 10)
    own = torch.tensor([2.0, 0.5, 1.0]).log_softmax(0)
    divergence = float((torch.log(torch.tensor(1 / 3)) - own).mean())
    assert found[1].item() == pytest.approx(0.75 * 20 + 0.25 * divergence, abs=1e-5)


def test_a_question_without_all_teacher_scores_keeps_its_loss() -> None:
    scores = torch.zeros(2, 4, requires_grad=True)
    objective = Objective(distill=1.0)
    losses = torch.tensor([3.0, 4.0])
    found = objective.distill_losses(
        losses, scores, torch.tensor([0, 0, 1, 1]), torch.tensor([1.0, NAN, 1.0, 0.0])
    )
    assert found[0] == 3.0
    assert found[1] < 1.0
    found.sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert (scores.grad != 0).tolist() == [[False] * 4, [False, False, True, True]]


def test_a_question_with_one_passage_keeps_its_loss() -> None:
    """The probabilities of one passage are 1 to any teacher, from which nothing can be learned."""
    scores, owners = torch.tensor([[1.0, 2.0, 0.0], [0.0, 2.0, 3.0]]), torch.tensor([0, 1, 1])
    found = Objective(distill=1.0).distill_losses(
        torch.tensor([3.0, 4.0]), scores, owners, torch.tensor([1.0, 1.0, 0.0])
    )
    assert found[0] == 3.0
    assert found[1] < 4.0

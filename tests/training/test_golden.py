"""The reference's own trainings, step by step (dpr-behavior, sections 4.2 to 4.6)."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_start import open_base
from densecli.formats.read_examples import read_examples
from densecli.models.foreign.dpr_checkpoint import read_retriever_checkpoint
from densecli.training.batches import lay_out
from densecli.training.checkpoint import TrainProgress, TrainState
from densecli.training.examples import ExampleSpool
from densecli.training.objective import Objective
from densecli.training.pool import DevPool
from densecli.training.retriever import train
from densecli.training.sampling import Source, epoch_batches
from densecli.training.validation import dev_batches, dev_loss

GOLDEN = Path(__file__).parents[1] / "golden"
TRACE = json.loads((GOLDEN / "train_e2e.json").read_text())
RUN = TRACE["train_2_epochs"]
ASKED = RUN["config"]
CONFIG = TrainConfig(
    batch_size=ASKED["batch_size"],
    epochs=ASKED["num_train_epochs"],
    learning_rate=ASKED["learning_rate"],
    warmup_steps=ASKED["warmup_steps"],
    max_grad_norm=ASKED["max_grad_norm"],
    hard_negatives=ASKED["hard_negatives"],
    other_negatives=ASKED["other_negatives"],
    seed=ASKED["seed"],
    dropout=0.0,
    precision="fp32",
    device="cpu",
)


class Forgetful:
    """Begins every training anew and keeps nothing."""

    def begin(self, state: TrainState) -> TrainProgress:
        return TrainProgress()

    def best(self) -> None:
        pass

    def offer(self, progress: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        pass


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    base = tmp_path / "base"
    shutil.copytree(GOLDEN / "tiny-vocab", base)
    config = json.loads((GOLDEN / "checkpoint.json").read_text())["forward"]["bert_config"]
    (base / "config.json").write_text(json.dumps(config))
    read_retriever_checkpoint(GOLDEN / "tiny_biencoder.v1.cp", base, True).write(tmp_path / "model")
    return open_base(str(tmp_path / "model"), None, 24, 24)


@pytest.fixture(scope="module")
def examples() -> ExampleSpool:
    return ExampleSpool(read_examples(str(GOLDEN / "tiny_train.json")), Counter())


def without_padding(rows: list[list[int]]) -> list[list[int]]:
    return [[piece for piece in row if piece] for row in rows]


def test_batches_match_the_reference(retriever: Retriever, examples: ExampleSpool) -> None:
    laid = [
        lay_out(examples.draw(rows, 0, 1, CONFIG.seed, epoch, number), retriever.tokens)
        for epoch in (0, 1)
        for number, rows in enumerate(
            epoch_batches([Source(range(len(examples)))], CONFIG.batch_size, CONFIG.seed, epoch)
        )
    ]
    assert len(laid) == len(RUN["steps"])
    for ours, theirs in zip(laid, RUN["steps"], strict=True):
        assert ours.questions == without_padding(theirs["question_ids"])
        assert ours.passages == without_padding(theirs["context_ids"])
        assert list(ours.positives) == theirs["is_positive"]


def test_losses_and_learning_rates_match_the_reference(retriever: Retriever, examples: ExampleSpool) -> None:
    reports = list(train(examples, None, retriever, CONFIG, Counter(), Forgetful()))
    assert [report.learning_rate for report in reports] == pytest.approx(RUN["lrs_used"])
    losses, theirs = [report.loss for report in reports], [step["loss"] for step in RUN["steps"]]
    assert losses[:2] == pytest.approx(theirs[:2], abs=1e-5)
    assert losses == pytest.approx(theirs, rel=1e-3)
    assert [round(report.accuracy * CONFIG.batch_size) for report in reports] == [
        step["correct"] for step in RUN["steps"]
    ]
    sides = {"question_model": retriever.question.model, "ctx_model": retriever.passage.model}
    for name, stats in RUN["final_param_stats"].items():
        side, _, key = name.partition(".")
        if "pooler" not in key:
            weight = sides[side].state_dict()[key]
            assert float(weight.norm()) == pytest.approx(stats["l2"], rel=1e-3), name
            assert float(weight.sum()) == pytest.approx(stats["sum"], abs=1e-3), name


@torch.no_grad()
def test_validation_matches_the_reference(retriever: Retriever, examples: ExampleSpool) -> None:
    expected = TRACE["validation"]
    for tower in (retriever.question, retriever.passage):
        tower.eval()
    size = expected["dev_batch_size"]
    batches = list(dev_batches(examples, retriever.tokens, size, 0, 1))
    assert [len(batch.ids) for batch in batches] == [4, 4, 4, 1]
    scored = [dev_loss(retriever, [batch], Objective(), torch.float32) for batch in batches]
    for ours, theirs in zip(scored, expected["nll_batches"], strict=False):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-5)
        assert round(ours["accuracy"] * size) == theirs["correct"]
    full: Any = dev_loss(retriever, batches[:-1], Objective(), torch.float32)
    assert full["loss"] == pytest.approx(expected["nll"], abs=1e-5)
    whole: Any = dev_loss(retriever, batches, Objective(), torch.float32)
    assert whole["loss"] == pytest.approx((full["loss"] * 12 + scored[-1]["loss"]) / 13, abs=1e-6)


@pytest.mark.parametrize(("hard", "other"), [(30, 30), (1, 0)])
def test_the_average_rank_matches_the_reference(
    retriever: Retriever, examples: ExampleSpool, hard: int, other: int
) -> None:
    for tower in (retriever.question, retriever.passage):
        tower.eval()
    asked = len(examples) // 4 * 4  # the reference leaves out the last, smaller batch
    ranks, _ = DevPool(examples, asked, hard, other).rank(retriever, Objective(), 20, torch.float32)
    assert sum(ranks) / len(ranks) == pytest.approx(TRACE["validation"][f"average_rank_{hard}_{other}"])

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.engines import open_question_encoder
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_retriever import PassageEncoder
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import open_base
from densecli.errors import DenseError, UsageError
from densecli.models.folder import RetrieverConfig, read_model_config
from densecli.records import Passage, Question, TrainingExample
from densecli.training.examples import ExampleSpool
from densecli.training.forward import vectors_of
from densecli.training.report import StepReport
from densecli.training.retriever import train
from memory_checkpointer import MemoryCheckpointer

THINGS = ["river", "city", "king", "song", "film", "sea", "born", "wrote"]
CONFIG = TrainConfig(
    batch_size=8, epochs=60, learning_rate=3e-3, dropout=0.0, precision="fp32", device="cpu", hard_negatives=0
)


def examples(count: int = 8, hard: bool = False) -> list[TrainingExample]:
    """Questions that share no word with their passage: number n asks for thing n."""
    passages = [Passage(str(n), THINGS[n], f"the {THINGS[n]} of {n} and {n}") for n in range(8)]
    return [
        TrainingExample(
            Question(str(n), f"who is {'xyzqjvkw'[n]}"), (passages[n],), (passages[n - 1],) if hard else ()
        )
        for n in range(count)
    ]


def spool(given: Iterable[TrainingExample]) -> ExampleSpool:
    return ExampleSpool(given, Counter())


def run(
    base: Path, config: TrainConfig, given: list[TrainingExample], dev: list[TrainingExample] | None = None
) -> tuple[Retriever, list[StepReport], list[str], Counter[str]]:
    retriever = open_base(str(base), None, 32, 32)
    kept = MemoryCheckpointer()
    counts: Counter[str] = Counter()
    held_out = None if dev is None else spool(dev)
    reports = list(train(spool(given), held_out, retriever, config, counts, kept))
    return retriever, reports, kept.saved, counts


def state(retriever: Retriever) -> dict[str, torch.Tensor]:
    towers = {"question": retriever.question, "passage": retriever.passage}
    return {
        f"{name}.{key}": w.clone() for name, tower in towers.items() for key, w in tower.state_dict().items()
    }


def test_eight_questions_are_memorized_and_found_by_the_saved_model(tiny_base: Path, tmp_path: Path) -> None:
    retriever, reports, saved, counts = run(tiny_base, CONFIG, examples())
    assert [report.step for report in reports] == list(range(1, 61))
    assert reports[0].loss > 1
    assert reports[-1].loss < 0.1
    assert reports[-1].accuracy == 1.0
    assert saved == ["epoch"] * 59 + ["end"]
    assert not counts
    save_retriever(retriever, tmp_path / "model")
    questions = open_question_encoder(tmp_path / "model").encode([e.question.question for e in examples()])
    passages = PassageEncoder(tmp_path / "model").encode([e.positives[0] for e in examples()])
    assert (questions @ passages.T).argmax(axis=1).tolist() == list(range(8))
    assert read_model_config(tmp_path / "model", RetrieverConfig).max_passage_tokens == 32


def test_the_same_seed_gives_the_same_weights(tiny_base: Path) -> None:
    config = replace(CONFIG, batch_size=3, epochs=2, dropout=0.3, hard_negatives=1)
    first, reports, _, _ = run(tiny_base, config, examples(hard=True))
    second, again, _, _ = run(tiny_base, config, examples(hard=True))
    other, _, _, _ = run(tiny_base, replace(config, seed=2), examples(hard=True))
    assert [report.loss for report in reports] == [report.loss for report in again]
    assert all(torch.equal(weight, state(second)[name]) for name, weight in state(first).items())
    assert not all(torch.equal(weight, state(other)[name]) for name, weight in state(first).items())


def test_the_global_generator_of_torch_is_unchanged(tiny_base: Path) -> None:
    retriever = open_base(str(tiny_base), None, 32, 32)
    config = replace(CONFIG, epochs=1, dropout=0.3)
    before = torch.get_rng_state()
    list(train(spool(examples()), None, retriever, config, Counter(), MemoryCheckpointer()))
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_follows_the_config(tiny_base: Path) -> None:
    losses = {
        share: run(tiny_base, replace(CONFIG, epochs=1, dropout=share), examples())[1][0].loss
        for share in (0.0, 0.5)
    }
    still = run(tiny_base, replace(CONFIG, epochs=1, dropout=0.0, seed=99), examples())[1][0].loss
    assert losses[0.0] == pytest.approx(still, abs=1e-5)
    assert losses[0.5] != pytest.approx(still, abs=1e-2)


def test_both_towers_learn_independently(tiny_base: Path) -> None:
    before = state(open_base(str(tiny_base), None, 32, 32))
    after = state(run(tiny_base, replace(CONFIG, epochs=3), examples())[0])
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert not still
    key = "model.encoder.layer.1.output.dense.weight"
    assert not torch.equal(after[f"question.{key}"], after[f"passage.{key}"])


def test_frozen_word_embeddings_are_unchanged_and_stored_once(tiny_base: Path, tmp_path: Path) -> None:
    before = state(open_base(str(tiny_base), None, 32, 32))
    config = replace(CONFIG, epochs=3, freeze_embeddings=True, weight_decay=0.1)
    retriever = run(tiny_base, config, examples())[0]
    after = state(retriever)
    still = {name for name in before if torch.equal(before[name], after[name])}
    assert still == {f"{tower}.model.embeddings.word_embeddings.weight" for tower in ("question", "passage")}
    save_retriever(retriever, tmp_path / "model")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("words*")] == [
        "model/words.safetensors"
    ]
    again = open_base(str(tmp_path / "model"), None, 32, 32)
    assert all(torch.equal(weight, after[name]) for name, weight in state(again).items())


def test_the_model_with_the_lowest_dev_loss_is_kept(tiny_base: Path) -> None:
    config = replace(CONFIG, batch_size=3, epochs=6, learning_rate=2e-2)
    _, reports, saved, _ = run(tiny_base, config, examples(), dev=examples(7, hard=True))
    ends = [report for report in reports if report.validation is not None]
    assert [report.step for report in ends] == [2, 4, 6, 8, 10, 12]
    lowest, expected = math.inf, []
    for report in ends:
        assert report.validation is not None
        assert report.validation["questions"] == 7
        loss = report.validation["loss"]
        assert report.best == (loss < lowest)
        expected += ["best"] * (loss < lowest) + ["end" if report is ends[-1] else "epoch"]
        lowest = min(lowest, loss)
    assert saved == expected


def test_validation_is_the_mean_over_questions_of_fixed_batches(tiny_base: Path) -> None:
    config = replace(CONFIG, batch_size=3, epochs=1, hard_negatives=1, learning_rate=0.0)
    retriever, reports, _, _ = run(tiny_base, config, examples(), dev=examples(7, hard=True))
    validation = reports[-1].validation
    assert validation is not None
    tokens, losses, hits = retriever.tokens, [], 0
    for rows in ([0, 1, 2], [3, 4, 5], [6]):
        held = [examples(hard=True)[row] for row in rows]
        columns = [passage for e in held for passage in (e.positives[0], e.hard_negatives[0])]
        vectors = [
            np.stack([_alone(tower, ids) for ids in sequences])
            for tower, sequences in (
                (retriever.question, tokens.questions([e.question.question for e in held])),
                (retriever.passage, tokens.passages(columns)),
            )
        ]
        scores = vectors[0] @ vectors[1].T
        for row, one in enumerate(held):  # a positive of one is the hard negative of the next
            same = [column for column, passage in enumerate(columns) if passage == one.positives[0]]
            scores[row, [column for column in same if column != 2 * row]] = -np.inf
        for row, line in enumerate(scores):
            losses.append(float(np.log(np.exp(line - line[2 * row]).sum())))
            hits += line.argmax() == 2 * row
    assert validation["loss"] == pytest.approx(sum(losses) / 7, abs=1e-4)
    assert validation["accuracy"] == pytest.approx(hits / 7)


def _alone(tower: torch.nn.Module, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        return tower(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))[0].numpy()


def test_few_examples_make_a_smaller_batch_and_the_rest_is_counted(tiny_base: Path) -> None:
    _, reports, _, counts = run(tiny_base, replace(CONFIG, batch_size=32, epochs=2), examples(5))
    assert [report.steps for report in reports] == [2, 2]
    assert counts == {"questions_short_of_a_batch": 27}
    _, reports, _, counts = run(tiny_base, replace(CONFIG, batch_size=3, epochs=2), examples(8))
    assert reports[-1].steps == 4
    assert counts == {"questions_left_over_per_epoch": 2}


@pytest.mark.parametrize("hard", [False, True])
def test_a_single_question_needs_negatives_to_learn(tiny_base: Path, hard: bool) -> None:
    config = replace(CONFIG, batch_size=1, epochs=1, hard_negatives=1)
    if hard:
        assert run(tiny_base, config, examples(2, hard=True))[1][0].loss > 0
        return
    for given, size in ((examples(2), 1), (examples(1), 8)):
        with pytest.raises(UsageError, match="raise `batch_size`"):
            run(tiny_base, replace(config, batch_size=size), given)


def test_no_examples_are_refused(tiny_base: Path) -> None:
    with pytest.raises(UsageError, match="no training example is left"):
        run(tiny_base, CONFIG, [])


def test_a_loss_that_is_not_finite_stops_and_names_the_questions(tiny_base: Path) -> None:
    retriever = open_base(str(tiny_base), None, 32, 32)
    retriever.passage.model.embeddings.LayerNorm.weight.data.fill_(torch.inf)
    kept = MemoryCheckpointer()
    with pytest.raises(DenseError, match=r"the loss is nan in the batch of .*; the last checkpoint"):
        list(train(spool(examples()), None, retriever, CONFIG, Counter(), kept))
    assert not kept.saved


def test_the_untrained_model_is_validated_first(tiny_base: Path) -> None:
    config = replace(CONFIG, batch_size=3, epochs=2, learning_rate=0.0)
    _, reports, _, _ = run(tiny_base, config, examples(), dev=examples(7))
    assert [report.untrained is not None for report in reports] == [True, False, False, False]
    assert reports[0].untrained == reports[-1].validation
    assert [report.best for report in reports if report.validation] == [True, False]


def test_validation_runs_as_often_as_configured(tiny_base: Path) -> None:
    config = replace(CONFIG, batch_size=2, epochs=2, validate_every=3)
    _, reports, _, _ = run(tiny_base, config, examples(), dev=examples(7))
    assert [report.step for report in reports if report.validation] == [3, 4, 6, 8]
    assert [report.step for report in reports if report.epoch_ends] == [4, 8]


@pytest.mark.parametrize("patience", [1, 2])
def test_training_stops_early_without_improvement(tiny_base: Path, patience: int) -> None:
    config = replace(CONFIG, epochs=50, learning_rate=0.0, early_stop=patience)
    _, reports, saved, _ = run(tiny_base, config, examples(), dev=examples(7))
    assert len(reports) == 1 + patience
    assert saved == ["best", *["epoch"] * patience, "end"]


def test_inputs_that_are_too_long_are_counted(tiny_base: Path) -> None:
    long = replace(examples(1)[0].positives[0], text="the river " * 40)
    given = [replace(examples(1)[0], positives=(long,)), *examples()[1:]]
    _, reports, _, _ = run(tiny_base, replace(CONFIG, epochs=2), given)
    expected = {"questions": 8, "questions cut": 0, "passages": 8, "passages cut": 1}
    assert [report.inputs for report in reports] == [expected, expected]


def test_questions_with_one_positive_are_not_each_others_negatives(tiny_base: Path) -> None:
    given = examples()
    same = [replace(one, positives=given[0].positives) if n < 3 else one for n, one in enumerate(given)]
    config = replace(CONFIG, epochs=1)
    _, (report,), _, _ = run(tiny_base, config, same, same)
    assert report.inputs["pairs left out"] == 3 * 2
    vectors = vectors_before(tiny_base, same)
    scores = vectors[0] @ vectors[1].T
    scores[:3, :3] = scores[:3, :3].where(torch.eye(3, dtype=torch.bool), -torch.inf)
    expected = torch.nn.functional.cross_entropy(scores, torch.arange(8))
    assert report.untrained is not None
    assert report.untrained["loss"] == pytest.approx(float(expected), rel=1e-4)
    assert report.loss == pytest.approx(float(expected), rel=1e-4)


def test_a_batch_with_a_single_positive_has_no_loss(tiny_base: Path) -> None:
    same = [replace(one, positives=examples()[0].positives) for one in examples()]
    retriever, reports, _, _ = run(tiny_base, replace(CONFIG, epochs=1), same)
    before = state(open_base(str(tiny_base), None, 32, 32))
    assert [report.loss for report in reports] == [0.0]
    assert all(torch.equal(weight, before[name]) for name, weight in state(retriever).items())


def vectors_before(base: Path, given: list[TrainingExample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the vectors of questions and positives before any training."""
    retriever = open_base(str(base), None, 32, 32)
    for tower in (retriever.question, retriever.passage):
        tower.eval()
    tokens = retriever.tokens
    asked = tokens.questions([one.question.question for one in given])
    told = tokens.passages([one.positives[0] for one in given])
    return (
        vectors_of(retriever.question, asked, tokens.pad, torch.float32),
        vectors_of(retriever.passage, told, tokens.pad, torch.float32),
    )

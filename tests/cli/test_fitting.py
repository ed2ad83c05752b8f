"""What a training shows while it runs and when it ends, and the models that nothing can be made of."""

import json
import re
from importlib.util import find_spec
from xml.etree import ElementTree

import pytest
from safetensors.torch import load_file, save_file

SMALL = ("--encoder", "base", "--batch-size", 4, "--device", "cpu", "--force")
TRAIN = ("train", "questions", "--max-passage-tokens", 16, *SMALL)
READER = ("train-reader", "found.jsonl", "--max-tokens", 32, *SMALL)


def manifest(program, name):
    return json.loads((program.workspace / name / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("name", "line", "dev", "measure"),
    [
        ("retriever", TRAIN, "questions", "accuracy"),
        ("reader", READER, "found.jsonl", "exact match"),
    ],
)
def test_training_reports_and_stores_its_measures(prepared, name, line, dev, measure):
    ended = prepared.call(*line, "--dev", dev, "--epochs", 3, "--learning-rate", 1e-3).well()
    told = ended.stderr.splitlines()
    assert re.search(r"^training .* \(cpu, (bfloat16|float32)\)$", ended.stderr, re.MULTILINE)
    assert any(line.startswith("before training: dev loss ") and measure in line for line in told)
    for epoch in (1, 2, 3):
        assert any(
            line.startswith(f"epoch {epoch}: training loss ") and "; dev loss" in line for line in told
        )
    assert any(
        line.startswith("cut because they are too long: ") and "% of passages" in line for line in told
    )
    folder = prepared.workspace / name
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 10))
    facts = manifest(prepared, name)["facts"]
    ends = [row for row in rows if row["validation"]]
    best = max(row["step"] for row in ends if row["best"])
    assert (facts["best_step"], facts["steps"]) == (best, 9)
    assert facts["cut"]["passages"] > 0
    assert (facts["steps_planned"], facts["ended_early"], "ended early" in ended.stderr) == (9, False, False)
    assert (folder / "last").exists() == (best != 9)
    drawn = ElementTree.parse(folder / "training.svg").getroot()
    assert f"dev {measure}" in [text.text for text in drawn.findall(".//{*}text")]
    assert not (folder / "checkpoint").exists()
    assert not prepared.leftovers()


def test_training_says_nothing_of_texts_cut_where_none_is(prepared):
    ended = prepared.call("train", "questions", "--max-passage-tokens", 60, *SMALL).well()
    assert set(manifest(prepared, "retriever")["facts"]["cut"].values()) == {0}
    assert "too long" not in ended.stderr


def test_the_best_model_is_the_result_and_the_last_one_is_kept(prepared):
    line = (*TRAIN, "--dev", "questions", "--epochs", 40, "--early-stop", 3, "--learning-rate", 1e-2)
    ended = prepared.call(*line).well()
    told = manifest(prepared, "retriever")
    facts, folder = told["facts"], prepared.workspace / "retriever"
    assert (facts["ended_early"], facts["steps_planned"]) == (True, 120)
    assert facts["steps"] < 120, "it did not end early"
    early = f"ended early after update {facts['steps']} of 120 (--early-stop 3); kept the model of update "
    assert f"{early}{facts['best_step']}\n" in ended.stderr
    assert facts["best_step"] == facts["steps"] - 9
    assert facts["best_validation"]["loss"] < facts["validation"]["loss"]
    top, last = (load_file(place / "question" / "weights.safetensors") for place in (folder, folder / "last"))
    assert any((top[name] != last[name]).any() for name in top)
    prepared.call("embed", "--retriever", folder / "last", "--force").well()


@pytest.mark.parametrize("dev", [(), ("--dev", "questions")])
def test_diverging_weights_are_reported(prepared, dev):
    ended = prepared.call(*TRAIN, *dev, "--epochs", 3, "--learning-rate", 1e3)
    if ended.status:
        assert (ended.status, "try a lower --learning-rate" in ended.error) == (2, True)
    else:
        assert "warning: the " in ended.stderr
        assert "try a lower `learning_rate`" in manifest(prepared, "retriever")["facts"]["doubt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--early-stop", 2), "--early-stop has an effect only with --dev"),
        (("--validate-every", 2), "--validate-every has an effect only with --dev"),
    ],
)
@pytest.mark.parametrize("line", [TRAIN, READER], ids=["train", "train-reader"])
def test_options_that_need_dev_examples_are_refused_without_them(prepared, line, options, message):
    with prepared.unchanged():
        ended = prepared.call(*line, *options)
    assert (ended.status, ended.error) == (2, message)


def test_environment_settings_that_need_dev_examples_are_ignored(prepared):
    """Only what was typed for this run is refused."""
    prepared.call(*TRAIN, "--epochs", 1, DENSECLI_EARLY_STOP="2").well()
    ended = prepared.call(*TRAIN, "--epochs", 1, "--preset", "dpr-nq", "--max-question-tokens", 32).well()
    assert " --validate-by average-rank " in ended.stderr


def test_tensorboard_is_used_or_reported_as_missing(prepared):
    ended = prepared.call(*TRAIN, "--epochs", 1, "--tensorboard", "board")
    if find_spec("tensorboard") is None:
        assert (ended.status, "tensorboard is not installed" in ended.error) == (4, True)
    else:
        ended.well()
        assert list((prepared.folder / "board").glob("events*"))


@pytest.mark.parametrize("line", [TRAIN, READER], ids=["train", "train-reader"])
@pytest.mark.parametrize("damage", ["nan", "missing", "wider", "another kind"])
def test_unusable_base_models_are_refused(prepared, line, damage):
    place = prepared.folder / "base"
    config = json.loads((place / "config.json").read_text())
    weights = load_file(place / "model.safetensors")
    name = "encoder.layer.0.output.dense.weight"
    if damage == "nan":
        weights[name][0, 0] = float("nan")
    elif damage == "missing":
        del weights[name]
    elif damage == "wider":
        config["intermediate_size"] *= 2
    else:
        config |= {"model_type": "distilbert", "architectures": ["DistilBertModel"], "dim": 32}
    (place / "config.json").write_text(json.dumps(config))
    save_file(weights, place / "model.safetensors", {"format": "pt"})
    with prepared.unchanged():
        ended = prepared.call(*line)
    assert ended.status == 4, ended.stderr
    assert str(place) in ended.error or "base" in ended.error

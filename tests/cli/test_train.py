"""What is trained on: sets and their rates, a part of them, without test questions; presets; bad input."""

import json
import re
import shutil

import pytest

from cli.conftest import CITIES, article
from cli.test_bad_input import fails
from densecli.configs.presets import PRESETS
from unit_encoder import write_unit_encoder

SMALL = ("--encoder", "base", "--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64, "--device", "cpu")


@pytest.fixture(scope="module")
def place(tiny_place, tmp_path_factory):
    """One place for all of these; each writes its own results."""
    from cli.program import Program

    own = tmp_path_factory.mktemp("train")
    shutil.copytree(tiny_place, own / "place")
    program = Program(own / "place", own)
    yield program
    program.stop()


def example(city, **changes):
    row = {
        "question": f"who was born in {city}",
        "answers": [city],
        "positive_ctxs": [{"title": city, "text": article(city)}],
        "hard_negative_ctxs": [{"title": "", "text": f"a sea, and no {city}"}],
    }
    return row | changes


def trained(place, *arguments, **environment):
    """Train anew; return what was said, and the manifest."""
    done = place.call("train", *arguments, "-o", "new", "--force", **environment).well()
    return done.stderr, json.loads((place.folder / "new" / "manifest.json").read_text())


# several sets


def test_several_sets_are_trained_with_rates(place):
    place.write("a.jsonl", *map(example, CITIES[:8]))
    place.write("b.jsonl", *map(example, CITIES[8:]))
    _, manifest = trained(place, "a.jsonl", "b.jsonl", *SMALL, "--sampling-rates", "0.5,3")
    assert manifest["facts"]["sets"] == [
        {"path": "a.jsonl", "examples": 8, "rate": 0.5, "batches": 1},
        {"path": "b.jsonl", "examples": 4, "rate": 3.0, "batches": 3},
    ]
    assert (manifest["facts"]["steps"], manifest["counts"]["examples"]) == (4, 12)
    _, manifest = trained(place, "a.jsonl", "b.jsonl", *SMALL)
    assert [one["batches"] for one in manifest["facts"]["sets"]] == [2, 1]


def test_rates_that_do_not_match_the_sets_are_refused(place):
    place.write("a.jsonl", *map(example, CITIES[:8]))
    for rates, said in (
        ("1,2", "--sampling-rates 1,2 has 2 rates for 1 set: a.jsonl"),
        ("no", "--sampling-rates is 'no'; expected numbers"),
        ("0.3", "a.jsonl: 8 examples at rate 0.3 make no batch of 4"),
    ):
        assert fails(place, "train", "a.jsonl", "--sampling-rates", rates, *SMALL, status=2).startswith(said)


# a part of them


def test_examples_limits_the_number_of_examples(place):
    place.write("a.jsonl", *map(example, CITIES[:8]))
    place.write("b.jsonl", *map(example, CITIES[8:]))
    said, manifest = trained(place, "a.jsonl", "b.jsonl", *SMALL, "--examples", 9)
    assert "training on 9 examples" in said
    assert manifest["config"]["examples"] == manifest["counts"]["examples"] == 9
    assert sum(one["examples"] for one in manifest["facts"]["sets"]) == 9


def test_a_limit_above_the_number_of_examples_is_reported(place):
    place.write("a.jsonl", *map(example, CITIES[:8]))
    said = fails(place, "train", "a.jsonl", "--examples", 9, *SMALL, status=2)
    assert said == "--examples is 9, and there are 8 that can be trained on"


def test_a_set_without_examples_is_refused(place):
    place.write("a.jsonl", *map(example, CITIES[:8]))
    place.write("b.jsonl", example("Bonn"))
    two = ("train", "a.jsonl", "b.jsonl", *SMALL)
    said = fails(place, *two, "--examples", 1, status=2)
    assert re.fullmatch(
        r"--examples 1 chose no example of [ab]\.jsonl: raise it, or leave this set out", said
    )
    place.write("b.jsonl", example("Bonn", positive_ctxs=[]))
    dropped = "no example of b.jsonl is left, so leave this set out: examples without a positive passage 1"
    assert fails(place, *two, status=2) == fails(place, *two, "--examples", 8, status=2) == dropped


# questions left out


def test_test_questions_are_dropped_and_counted(place):
    place.write("a.jsonl", *map(example, CITIES))
    place.write(
        "mine.jsonl", {"question": "WHO was  born, in Oslo?", "answers": ["x"]}, {"question": "other"}
    )
    place.write("plain.txt", "who was born in the Riga")
    data = place.workspace / "data"
    data.mkdir()
    (data / "nq-test.qa.csv").write_text("who was born in rome ?\t['x']\n")
    try:
        options = ("--exclude", "mine.jsonl", "--exclude", "plain.txt")
        said, manifest = trained(place, "a.jsonl", *SMALL, *options)
    finally:
        (data / "nq-test.qa.csv").unlink()
        data.rmdir()
    assert (
        "left out of training: questions of nq, mine.jsonl, plain.txt; test sets not on this disk: " in said
    )
    assert "not on this disk: trivia, webq, trec, squad\n" in said
    assert manifest["counts"]["questions_equal_to_a_test_question"] == 3
    assert manifest["counts"]["examples"] == len(CITIES) - 3
    assert "training questions that equal a test question 3" in said
    paths = [row["path"] for row in manifest["inputs"]]
    assert [name in paths for name in ("mine.jsonl", "plain.txt")] == [True, True]


def test_missing_test_sets_are_reported(place):
    place.write("a.jsonl", *map(example, CITIES))
    said, manifest = trained(place, "a.jsonl", *SMALL)
    assert "left out of training: no test questions (--exclude names a file of yours); test sets not" in said
    assert "training questions that equal" not in str(manifest["counts"])


def test_training_only_on_test_questions_is_refused(place):
    place.write("a.jsonl", *map(example, CITIES))
    place.write("dev.jsonl", example("Bonn", positive_ctxs=[]))
    options = ("--exclude", "questions.jsonl", "--dev", "dev.jsonl")
    why = "training questions that equal a test question 12"
    said = fails(place, "train", "a.jsonl", *options, *SMALL, status=2)
    assert said == f"no training example is left to train on: {why}"
    assert said == fails(place, "train", "a.jsonl", *options, "--examples", 3, *SMALL, status=2)
    said = fails(place, "train", "a.jsonl", *options[2:], *SMALL, status=2)
    assert said == "no dev example is left to validate on: examples without a positive passage 1"
    said = fails(place, "train-reader", "found.jsonl", *options[:2], status=2)
    assert said == f"no question is left to train on: {why}"
    assert "none.jsonl: no such file" in fails(place, "train", "a.jsonl", "--exclude", "none.jsonl", *SMALL)


def test_a_reader_is_not_trained_on_test_questions(place):
    place.write("mine.jsonl", {"question": "Who was born in Oslo", "answers": ["x"]})
    options = (
        "--encoder",
        "base",
        "--batch-size",
        4,
        "--max-tokens",
        64,
        "--exclude",
        "mine.jsonl",
        "--force",
    )
    said = place.call("train-reader", "found.jsonl", *options, "-o", "read-model").well().stderr
    assert "training questions that equal a test question 1" in said


# presets


def test_a_preset_is_reported_recorded_and_overridden_by_options(place):
    place.write("a.jsonl", *map(example, CITIES))
    (place.folder / "my.toml").write_text("[train]\nlearning_rate = 3e-5\nbatch_size = 7\n")
    short = ("--encoder", "base", "--max-passage-tokens", 64, "--epochs", 1, "--device", "cpu")
    options = ("--preset", "paper", "--config", "my.toml", "--dropout", 0, *short)
    said, manifest = trained(place, "a.jsonl", *options, DENSECLI_BATCH_SIZE="6")
    told = "--preset paper: --hard-negatives 1 --similarity dot; overridden: --batch-size 6"
    assert f"{told} --learning-rate 3e-05 --dropout 0 --epochs 1\n" in said
    chosen = {"preset": "paper", "batch_size": 6, "learning_rate": 3e-5, "dropout": 0.0, "epochs": 1}
    assert manifest["config"] == manifest["config"] | chosen
    said, manifest = trained(place, "a.jsonl", "--preset", "paper", *short)
    told = "--preset paper: --batch-size 128 --hard-negatives 1 --learning-rate 1e-05 --dropout 0.1"
    assert f"{told} --similarity dot; overridden: --epochs 1\n" in said
    assert manifest["config"] == manifest["config"] | PRESETS["paper"]["train"]
    assert "a.jsonl makes batches of 12, not 128: it has no more" in said


def test_the_epochs_of_the_paper_preset_depend_on_the_size(place):
    place.write("a.jsonl", *map(example, CITIES[:2]))
    options = ("--preset", "paper", "--encoder", "base", "--max-passage-tokens", 64, "--device", "cpu")
    said, manifest = trained(place, "a.jsonl", *options)
    assert "--similarity dot, and --epochs by how much there is to train on\n" in said
    assert "pooling, dot, epochs: 100" in said
    assert (manifest["facts"]["epochs"], manifest["facts"]["steps"]) == (100, 100)


def test_the_released_configuration_warns_on_few_examples(place):
    place.write("a.jsonl", *map(example, CITIES))
    said, manifest = trained(place, "a.jsonl", "--dev", "a.jsonl", "--preset", "dpr-nq", *SMALL)
    assert "average_rank" in manifest["facts"]["best_validation"]
    assert "--warmup-steps 1,237 is not below the 3 updates of the training" in said
    assert (manifest["config"]["warmup_steps"], manifest["config"]["max_grad_norm"]) == (1237, 2.0)


def test_the_paper_preset_of_the_reader_depends_on_the_size(place):
    options = ("--encoder", "base", "--max-tokens", 64, "--device", "cpu", "--force", "-o", "paper-reader")
    said = place.call("train-reader", "found.jsonl", "--preset", "paper", *options).well().stderr
    told = (
        "--preset paper: --passages 24 --depth 100 --learning-rate 1e-05 --dropout 0.1, and --batch-size by"
    )
    assert f"{told} how much there is to train on\n" in said
    assert "questions with fewer negatives than asked for 12" in said
    assert "12 questions in batches of 4, epochs: 1\n" in said


def test_a_preset_without_effect_is_refused(place):
    said = fails(place, "search", "who", "--preset", "dpr-nq", status=2)
    assert said == "--preset dpr-nq has no effect on search; it has paper"
    said = fails(place, "train", "--preset", "nq", status=2)
    assert "'nq' is not one of 'paper', 'dpr-nq'" in said


# bad input


def test_unclean_examples_are_cleaned_and_counted(place):
    positive, other = {"title": "T", "text": "a king"}, {"text": "a sea"}
    place.write(
        "a.jsonl",
        *map(example, CITIES[:4]),
        example("Bonn", positive_ctxs=[]),
        example("Bern", positive_ctxs=[{"text": " "}]),
        example("Baku", positive_ctxs=[positive, positive, {"text": "a  king"}]),
        example("Brno", positive_ctxs=[positive], hard_negative_ctxs=[positive, other, {"text": ""}]),
    )
    _, manifest = trained(place, "a.jsonl", *SMALL)
    told = {
        "examples": 6,
        "examples_without_positive": 2,
        "positives_given_twice": 2,
        "negatives_equal_to_a_positive": 1,
        "passages_without_text": 2,
    }
    assert manifest["counts"] == manifest["counts"] | told


def test_fewer_negatives_than_configured_are_reported(place):
    place.write("a.jsonl", *map(example, CITIES[1:]), example("Ulm", hard_negative_ctxs=[]))
    said, _ = trained(place, "a.jsonl", *SMALL)
    told = "warning: {} of 12 examples have fewer negatives of their own than asked for (--hard-negatives {}"
    assert told.format(1, "1 --other-negatives 0)") in said
    said, _ = trained(place, "a.jsonl", *SMALL, "--other-negatives", 2)
    assert told.format(12, "1 --other-negatives 2)") in said
    said, _ = trained(place, "a.jsonl", *SMALL, "--hard-negatives", 0)
    assert "fewer negatives" not in said


def test_examples_without_titles_are_accepted(place):
    place.write("a.jsonl", *(example(city, positive_ctxs=[{"text": article(city)}]) for city in CITIES))
    _, manifest = trained(place, "a.jsonl", *SMALL)
    assert manifest["counts"]["examples"] == len(CITIES)


@pytest.mark.parametrize(
    ("rows", "status", "said"),
    [
        ([example("Ulm", positive_ctxs=[])] * 2, 2, "no training example is left to train on"),
        ([example("Ulm", positive_ctxs=[{"text": ""}])], 2, "no training example is left to train on"),
        ([example("Ulm"), example("Ulm", question=" ")], 3, "a.jsonl:2: 'question' is empty"),
        ([], 3, "a.jsonl: is empty; expected at least one record"),
        ([example("Ulm", hard_negative_ctxs=[])], 2, "a batch of one question without negatives has nothing"),
        (
            [example("Ulm", hard_negative_ctxs=[{"text": article("Ulm")}])],
            2,
            "a batch of one question without negatives has nothing",
        ),
    ],
)
def test_training_without_examples_is_refused(place, rows, status, said):
    place.write("a.jsonl", *rows)
    assert fails(place, "train", "a.jsonl", *SMALL, status=status).startswith(said)


def test_zero_epochs_batches_or_examples_are_refused(place):
    for options, said in (
        (("--epochs", 0), "epochs"),
        (("--batch-size", 0), "batch-size"),
        (("--examples", 0), "examples"),
    ):
        assert said in fails(place, "train", "questions", *options, status=2)
    assert "no dataset 'nqq'; known: nq" in fails(place, "train", "--dataset", "nqq", status=2)


def test_a_reader_cannot_sample_more_passages_than_its_depth(place):
    options = ("train-reader", "found.jsonl", "--passages", 50)
    said = fails(place, *options, "--depth", 3, status=2)
    assert said.startswith("--passages 50 cannot be sampled from --depth 3: raise --depth, or lower")
    short = ("--max-tokens", 32, "--device", "cpu", "--force", "-o", "shallow")
    place.call(*options, "--encoder", "base", *short, DENSECLI_DEPTH="3").well()


def test_a_base_is_trained_with_its_own_similarity(place):
    write_unit_encoder(place.folder / "base", place.folder / "unit")
    place.write("a.jsonl", *map(example, CITIES))
    asked = {"base": ("base",), "unit": ("unit",), "asked": ("unit", "--similarity", "dot")}
    for name, encoder in asked.items():
        place.call("train", "a.jsonl", *SMALL[2:], "-o", name + "-made", "--encoder", *encoder).well()
    cards = {name: json.loads((place.folder / f"{name}-made" / "model.json").read_text()) for name in asked}
    assert {name: (card["similarity"], card["normalize"]) for name, card in cards.items()} == {
        "base": ("dot", False), "unit": ("cosine", True), "asked": ("dot", False),
    }  # fmt: skip


def test_a_temperature_needs_cosine_similarity(place):
    place.write("a.jsonl", *map(example, CITIES))
    ended = place.run("train", "a.jsonl", "--encoder", "base", "--temperature", 0.1, "--force")
    assert ended.status == 2
    assert "--temperature has no effect: " in ended.error
    assert "is trained with dot similarity; add --similarity cosine" in ended.error
    line = ("train", "a.jsonl", "--encoder", "base", "--epochs", 1, "--batch-size", 4, "--force")
    place.call(*line, DENSECLI_TEMPERATURE="0.1").well()


# distillation


def taught(city, right=1.0, wrong=0.0):
    ctxs = {
        "positive_ctxs": [{"title": city, "text": article(city), "teacher_score": right}],
        "hard_negative_ctxs": [{"title": "", "text": f"a sea, and no {city}", "teacher_score": wrong}],
    }
    return example(city, **ctxs)


def test_teacher_scores_change_what_is_learned(place):
    place.write("taught.jsonl", *(taught(city, 0.0, 5.0) for city in CITIES[:8]))
    common = ("taught.jsonl", *SMALL, "--learning-rate", 1e-3)
    _, plain = trained(place, *common)
    _, half = trained(place, *common, "--distill", 0.5)
    _, other = trained(place, *common, "--distill", 0.5, "--teacher-temperature", 10)
    assert len({plain["fingerprint"], half["fingerprint"], other["fingerprint"]}) == 3


def test_examples_without_teacher_scores_are_counted(place):
    place.write("mixed.jsonl", *map(taught, CITIES[:5]), *map(example, CITIES[5:8]))
    said, manifest = trained(place, "mixed.jsonl", *SMALL, "--distill", 0.5)
    assert manifest["counts"]["examples_without_teacher_scores"] == 3
    assert "examples without teacher scores 3" in said


def test_only_passages_that_may_be_drawn_need_a_teacher_score(place):
    others = {"negative_ctxs": [{"title": "", "text": "a king at sea"}]}
    place.write("taught.jsonl", *(taught(city) | others for city in CITIES[:8]))
    _, manifest = trained(place, "taught.jsonl", *SMALL, "--distill", 0.5)
    assert "examples_without_teacher_scores" not in manifest["counts"]
    error = fails(
        place, "train", "taught.jsonl", *SMALL, "--distill", 0.5, "--other-negatives", 1, "-o", "x", status=2
    )
    assert "no example has a teacher_score" in error
    # a positive alone teaches nothing
    error = fails(
        place, "train", "taught.jsonl", *SMALL, "--distill", 0.5, "--hard-negatives", 0, "-o", "x", status=2
    )
    assert "no example has a teacher_score" in error


def test_only_examples_that_are_trained_on_are_counted_as_not_taught(place):
    place.write("mixed.jsonl", *map(taught, CITIES[:4]), *map(example, CITIES[4:8]))
    counts = [
        trained(place, "mixed.jsonl", *SMALL, "--distill", 0.5, "--examples", size)[1]["counts"].get(
            "examples_without_teacher_scores", 0
        )
        for size in (5, 8)
    ]
    assert counts[0] < counts[1] == 4


def test_distillation_without_any_teacher_score_is_refused(place):
    place.write("plain.jsonl", *map(example, CITIES[:8]))
    error = fails(place, "train", "plain.jsonl", *SMALL, "--distill", 0.5, "-o", "other", status=2)
    assert "no example has a teacher_score for its positive and for each negative" in error


def test_a_teacher_temperature_without_distillation_is_refused(place):
    place.write("taught.jsonl", *map(taught, CITIES[:8]))
    error = fails(place, "train", "taught.jsonl", *SMALL, "--teacher-temperature", 2, "-o", "other", status=2)
    assert "--teacher-temperature has an effect only with --distill" in error


def test_the_released_configuration_of_the_reader_takes_the_loss_of_the_release(place):
    options = ("--encoder", "base", "--max-tokens", 64, "--passages", 3, "--device", "cpu", "--force")
    line = ("train-reader", "found.jsonl", *options, "-o", "nq-reader")
    said = place.call(*line, "--preset", "dpr-nq").well().stderr
    assert "--choice dpr --reader-loss dpr" in said
    losses = {}
    for loss in ("dpr", "masked"):
        place.call(*line, "--preset", "dpr-nq", "--reader-loss", loss).well()
        facts = json.loads((place.folder / "nq-reader" / "manifest.json").read_text())["facts"]
        losses[loss] = facts["loss"]
    # more takes part in its softmaxes
    assert losses["dpr"] > losses["masked"]

"""`mine_negatives` from Python: questions in memory, resuming, and worker processes that stay light."""

import json
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from densecli.configs.mining import MineConfig
from densecli.errors import ArtifactError, InputError, UsageError
from densecli.mining.mine import BLOCK
from densecli.mining.miner import mine_block
from densecli.observer import Observer
from densecli.records import Article, Passage, Question, TrainingExample
from densecli.workflows.embed import embed
from densecli.workflows.engines import CustomRetriever
from densecli.workflows.index import index
from densecli.workflows.mine_negatives import mine_negatives, open_miner
from densecli.workflows.preprocess import preprocess

pytestmark = pytest.mark.usefixtures("silence")
CITIES = ["Ulm", "Rome", "Oslo", "Lima"]
QUESTIONS = [Question(city, f"who was born in {city}", (city,)) for city in CITIES]


@pytest.fixture
def workspace(tmp_path):
    """A workspace with one passage for each city."""
    articles = [Article(city, city, f"The king was born in {city}, a city.") for city in CITIES]
    return preprocess(articles, workspace=tmp_path / "w").folder.parent


def examples(artifact):
    lines = (artifact.folder / "examples.jsonl").read_bytes().splitlines()
    return [TrainingExample.from_json(json.loads(line)) for line in lines]


def test_questions_in_memory_give_the_examples_of_a_file(workspace, tmp_path):
    path = tmp_path / "cities.jsonl"
    path.write_text("".join(json.dumps(one.to_json()) + "\n" for one in QUESTIONS))
    of_records = mine_negatives(QUESTIONS, workspace=workspace, negatives="bm25:2")
    of_a_file = mine_negatives(path, workspace=workspace, negatives="bm25:2")
    assert (of_records.folder, of_a_file.folder) == (
        workspace / "examples" / "questions",
        workspace / "examples" / "cities",
    )
    assert examples(of_records) == examples(of_a_file)
    assert [one.question for one in examples(of_records)] == QUESTIONS
    assert [one.positives[0].title for one in examples(of_records)] == CITIES
    assert all(len(one.hard_negatives) == 2 for one in examples(of_records))


def test_given_passages_in_memory_are_kept(workspace):
    given = TrainingExample(QUESTIONS[0], (Passage("x", "", "elsewhere"),), (Passage("y", "", "not here"),))
    made = mine_negatives([given, QUESTIONS[1]], workspace=workspace, positives="keep", negatives="none")
    assert [(one.positives, one.hard_negatives) for one in examples(made)] == [
        (given.positives, given.hard_negatives)
    ]


def test_answers_of_records_are_matched_by_the_answer_type(workspace):
    asked = [Question("1", "who was born in Rome", ("R.me",))]
    assert examples(mine_negatives(asked, workspace=workspace)) == []
    made = mine_negatives(asked, workspace=workspace, answer_type="regex", force=True)
    assert [one.positives[0].title for one in examples(made)] == ["Rome"]


def test_the_same_questions_are_up_to_date_and_others_need_force(workspace, observer):
    assert not mine_negatives(QUESTIONS, workspace=workspace).up_to_date
    assert mine_negatives([*QUESTIONS], workspace=workspace, observer=observer).up_to_date
    assert observer.messages == [f"{workspace / 'examples' / 'questions'}: up to date"]
    with pytest.raises(ArtifactError, match="its input was questions in memory"):
        mine_negatives(QUESTIONS[:2], workspace=workspace)
    with pytest.raises(ArtifactError, match="cannot be read twice"):
        mine_negatives(iter(QUESTIONS), workspace=workspace)
    made = mine_negatives(iter(QUESTIONS[:2]), workspace=workspace, force=True)
    assert len(examples(made)) == 2


class Interrupting(Observer):
    """Ends mining at its third block."""

    def progress(self, items, what, *described, **more):
        for number, item in enumerate(items):
            if what == "mine" and number == 2:
                raise KeyboardInterrupt
            yield item


def test_an_interrupted_run_over_records_resumes(workspace, tmp_path, observer):
    asked = QUESTIONS * BLOCK
    call = partial(mine_negatives, asked, workspace=workspace, negatives="random:2", workers=1)
    with pytest.raises(KeyboardInterrupt):
        call(output=tmp_path / "made", observer=Interrupting())
    made = call(output=tmp_path / "made", observer=observer)
    assert observer.messages[0] == f"resuming at question {2 * BLOCK + 1:,}"
    assert observer.work == ["mine"]
    assert examples(made) == examples(call(output=tmp_path / "whole"))


def test_dense_negatives_come_from_a_custom_encoder(workspace):
    def encode(texts):
        return np.array([[text.count(letter) for letter in "aeimorsu"] for text in texts])

    own = CustomRetriever("letters", encode, lambda passages: encode([one.text for one in passages]))
    embed(workspace=workspace, retriever=own)
    index(workspace=workspace)
    made = mine_negatives(QUESTIONS, workspace=workspace, retriever=own, negatives="dense:3")
    assert {negative.source for one in examples(made) for negative in one.hard_negatives} == {"dense"}
    assert all(len(one.hard_negatives) == 3 for one in examples(made))

    # fits the same index, and finds other negatives
    class Adapted(CustomRetriever):
        fingerprint = property(lambda _: "custom:adapted")

    other = Adapted(own.name, encode, own.encode_passages)
    with pytest.raises(ArtifactError, match="built differently"):
        mine_negatives(QUESTIONS, workspace=workspace, retriever=other, negatives="dense:3")


@pytest.mark.parametrize(
    ("questions", "settings", "error", "what"),
    [
        (None, {}, UsageError, "give either questions .* or a dataset"),
        (QUESTIONS, {"dataset": "nq", "data_dir": "."}, UsageError, "contradict each other"),
        (
            QUESTIONS,
            {"margin": 0.5, "negatives": "random:2"},
            UsageError,
            "`margin` has an effect only on bm25",
        ),
        (QUESTIONS, {"seed": 3}, UsageError, "`seed` has an effect only on random and gold"),
        (QUESTIONS, {"engine": "torch"}, UsageError, "`engine` has an effect only with `negatives=dense`"),
        (
            QUESTIONS,
            {"depth": 9, "positives": "keep", "negatives": "random"},
            UsageError,
            "`depth` has an effect only where BM25 or vectors",
        ),
        (QUESTIONS, {"retriever": "starter"}, UsageError, "only with `negatives=dense`"),
        (["who was born in Ulm"], {}, TypeError, "expected Question or TrainingExample records, got str"),
        ("nowhere.jsonl", {}, InputError, "nowhere.jsonl: no such file"),
    ],
)
def test_a_wrong_call_is_refused_with_a_reason(workspace, questions, settings, error, what):
    with pytest.raises(error, match=what):
        mine_negatives(questions, workspace=workspace, **settings)
    assert not (workspace / "examples").exists()


def test_a_worker_process_loads_no_command_line_and_no_model_library(workspace):
    opener = partial(open_miner, workspace / "passages", "", None, MineConfig())
    probe = "import pickle, sys; pickle.load(sys.stdin.buffer); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", probe], input=pickle.dumps(partial(mine_block, opener)), capture_output=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.decode().split()}
    assert "densecli" in loaded, done.stderr
    assert not loaded & {"typer", "rich", "torch", "transformers", "faiss", "onnxruntime", "tokenizers"}
    assert "densecli.cli" not in done.stdout.decode().split()


def test_answers_that_look_like_patterns_are_reported_once(workspace, tmp_path, observer):
    path = tmp_path / "trec.jsonl"
    rows = [{"question": f"who was born in {city}", "answers": [f"(old )?{city}"]} for city in CITIES]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    mine_negatives(path, workspace=workspace, observer=observer)
    [told] = [one for one in observer.warnings if "`answer_type` regex" in one]
    assert told.startswith("4 of 4 questions have answers that look like regular expressions")
    observer.warnings.clear()
    made = mine_negatives(path, workspace=workspace, answer_type="regex", force=True, observer=observer)
    assert (len(examples(made)), observer.warnings) == (4, [])


def test_gold_passages_that_the_collection_lacks_are_reported(workspace, observer):
    elsewhere = Passage("x", "Mars", "Red dust covers the plain, and nobody lives there.")
    given = [TrainingExample(one, (elsewhere,)) for one in QUESTIONS]
    mine_negatives(given, workspace=workspace, observer=observer)
    assert observer.warnings[0] == (
        "4 of 4 questions are dropped: the collection lacks their gold passage;"
        " `positives` keep takes the given passages as they are"
    )


def test_no_questions_give_an_empty_set(workspace):
    assert examples(mine_negatives([], workspace=workspace)) == []


def test_a_given_negative_that_becomes_a_positive_is_none(workspace):
    ulm = Passage("x", "Ulm", "The king was born in Ulm, a city.")
    given = TrainingExample(QUESTIONS[0], (), (ulm, Passage("y", "", "not here")))
    (made,) = examples(mine_negatives([given], workspace=workspace, positives="distant"))
    assert [one.text for one in made.positives] == [ulm.text]
    assert ulm.text not in [one.text for one in made.hard_negatives]


def test_the_answer_type_of_a_dataset_is_a_setting(workspace, tmp_path):
    path = tmp_path / "curatedtrec-train.qa.csv"
    path.write_text("who was born in Rome\t['R.me']\n")
    as_text = mine_negatives(path, workspace=workspace, output=tmp_path / "mined")
    assert not examples(as_text)
    with pytest.raises(ArtifactError, match="answer_type was left to the default, now regex"):
        mine_negatives(dataset="trec", data_dir=tmp_path, workspace=workspace, output=tmp_path / "mined")


@pytest.mark.parametrize("nothing", ["", " ", ","])
def test_an_empty_negatives_setting_is_refused(workspace, nothing):
    with pytest.raises(UsageError, match="`negatives` is empty; expected a list such as .*, or none"):
        mine_negatives(QUESTIONS, workspace=workspace, negatives=nothing)


def test_a_setting_that_returns_to_its_default_is_reported(workspace):
    mine_negatives(QUESTIONS, workspace=workspace, margin=0.5)
    with pytest.raises(ArtifactError, match="margin was 0.5, now left to the default"):
        mine_negatives(QUESTIONS, workspace=workspace)

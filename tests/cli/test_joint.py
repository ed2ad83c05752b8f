"""Reader and question encoder trained together; the passages' vectors and index stay as they are."""

import json
import shutil
import signal

import pytest

from cli.program import until
from encoder_families import FAMILIES

SMALL = (
    "train-reader", "found.jsonl", "--encoder", "base", "--batch-size", 4, "--max-tokens", 64, "--depth", 4,
    "--learning-rate", 1e-3, "--device", "cpu", "--force",
)  # fmt: skip
JOINT = (*SMALL, "--joint", ".densecli/retriever")
NEW = ".densecli/reader/retriever"
ASKED = "who was born in Rome"


def rows(program):
    return [
        json.loads(line) for line in (program.workspace / "reader/metrics.jsonl").read_text().splitlines()
    ]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def searched(program, *more):
    ended = program.call("search", ASKED, "--mode", "dense", "--format", "jsonl", *more).well()
    return [(hit["id"], hit["score"]) for hit in ended.rows[0]["ctxs"]]


def test_the_question_tower_changes_and_the_index_stays_valid(prepared):
    old, new = prepared.workspace / "retriever", prepared.folder / NEW
    before, index = files(old / "question"), prepared.results()["index/index.faiss"]
    ended = prepared.call(*JOINT, "--epochs", 2, "--dev", "found.jsonl", "--dev-questions", 6).well()
    assert "the question encoder of .densecli/retriever with it" in ended.stderr
    assert files(new / "passage") == files(old / "passage")
    assert files(old / "question") == before
    after = files(new / "question")
    assert all(before[name] != after[name] for name in ("weights.safetensors", "words.safetensors"))
    hits = searched(prepared, "--retriever", NEW)
    assert len(hits) > 1
    assert hits != searched(prepared)
    (read,) = prepared.call("read", ASKED, "--retriever", NEW).well().rows
    assert read["answer"]

    # the vectors that it would make are those that are there, and what they make is the same index
    for command in (("embed", "--retriever", NEW), ("index",)):
        prepared.call(*command, "--force").well()
    assert prepared.results()["index/index.faiss"] == index
    assert searched(prepared, "--retriever", NEW) == hits

    told = rows(prepared)
    assert len(told) == 6
    for row in told:
        assert row["loss"] == pytest.approx(row["parts"]["reader"] + row["parts"]["retriever"])
    dev = told[-1]["validation"]
    assert dev.keys() == {"loss", "exact_match", "questions", "average_rank", "top_20", "pool"}
    assert told[0]["untrained"].keys() == dev.keys()


def test_training_with_a_fixed_passage_tower_needs_no_new_index(prepared):
    small = ("--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64, "--learning-rate", 0.01)
    base = ("--encoder", ".densecli/retriever", "--fixed-passage-encoder", "-o", "other")
    prepared.call("train", *base, *small).well()
    assert files(prepared.folder / "other/passage") == files(prepared.workspace / "retriever/passage")
    assert searched(prepared, "--retriever", "other") != searched(prepared)
    with prepared.unchanged():
        assert "up to date" in prepared.call("embed", "--retriever", "other").well().stderr
    prepared.call("train", *base[:2], *small, "-o", "third").well()
    ended = prepared.call("search", ASKED, "--mode", "dense", "--retriever", "third")
    assert ended.status == 4
    assert "was built with another retriever" in ended.error
    ended = prepared.call("embed", "--retriever", "third")
    assert (ended.status, "built differently (its input was " in ended.error) == (4, True)


def test_a_compact_tower_with_a_shared_table_is_copied_unchanged(prepared):
    prepared.call("embed", "--retriever", "starter", "--force").well()
    prepared.call("index", "--force").well()
    prepared.call(*SMALL, "--joint", "starter", "--freeze-embeddings").well()
    assert not (prepared.folder / NEW / "question/words.safetensors").exists()
    assert searched(prepared, "--retriever", NEW)


def test_the_new_retriever_can_be_trained_further(prepared):
    cosine = ("--similarity", "cosine", "--temperature", 0.5, "--question-prefix", "ask ")
    prepared.call("train", "--encoder", "base", "--epochs", 1, "--batch-size", 4, *cosine, "--force").well()
    prepared.call(*JOINT).well()
    shutil.copytree(prepared.workspace / "reader", prepared.folder / "first")
    prepared.call(*SMALL, "--joint", "first/retriever").well()
    card = json.loads((prepared.folder / NEW / "model.json").read_text())
    assert (card["similarity"], card["question_prefix"]) == ("cosine", "ask ")
    told = json.loads((prepared.folder / NEW / "manifest.json").read_text())
    assert told["facts"] == {"temperature": 0.5}
    # cosines over 0.5 lie within 4 of each other: among so few passages nothing loses much
    assert all(0 < row["parts"]["retriever"] < 4 + 3 for row in rows(prepared))


def test_a_killed_training_resumes_to_the_same_weights(prepared):
    line = [*JOINT, "--epochs", 6, "--dropout", 0.2, "--save-every", 2]
    prepared.call(*line).well()
    whole, told = outcome(prepared), timeless(prepared)
    metrics = prepared.workspace / ".reader.partial/work/metrics.jsonl"
    for steps in (5, 11):
        running = prepared.start(*line)
        until(lambda: metrics.exists() and metrics.read_bytes().count(b"\n") >= steps)  # noqa: B023
        running.send(signal.SIGKILL)
        running.wait()
    shutil.rmtree(prepared.workspace / "reader")
    ended = prepared.start(*line).wait().well()
    assert "resuming after update" in ended.stderr
    assert outcome(prepared) == whole
    assert timeless(prepared) == told


def outcome(program):
    found = program.results()
    return {
        name: found[name] for name in found if name.startswith("reader/") and name.endswith(".safetensors")
    }


def timeless(program):
    measured = {"questions_per_second", "memory"}
    return [{name: value for name, value in row.items() if name not in measured} for row in rows(program)]


def test_an_interrupted_training_with_another_retriever_is_not_resumed(prepared):
    shutil.rmtree(prepared.workspace / "reader")
    line = [*(word for word in JOINT if word != "--force"), "--epochs", 40, "--save-every", 1]
    running = prepared.start(*line)
    until(lambda: (prepared.workspace / ".reader.partial/work/checkpoint/note.json").exists())
    running.send(signal.SIGKILL)
    running.wait()
    without = prepared.call(*line[:-6], *line[-4:])
    assert without.status == 4
    assert "an interrupted training has other inputs or settings" in without.error
    other = prepared.call(*("starter" if word == JOINT[-1] else word for word in line))
    assert (other.status, "its input was WORKSPACE/retriever" in other.error) == (4, True)


def test_models_that_cannot_be_trained_jointly_are_refused(prepared):
    for place, told in (
        (".densecli/reader", "a model of kind 'reader'; a retriever is needed here"),
        ("base", "not a densecli retriever; run `densecli convert base --to retriever`"),
        ("nowhere/at/all", "nowhere/at/all"),
    ):
        ended = prepared.call(*SMALL, "--joint", place)
        assert ended.status == 4
        assert told in ended.error
    prepared.call(
        "train", "--encoder", "base", "--shared-encoder", "--epochs", 1, "--batch-size", 4, "-o", "one"
    ).well()
    ended = prepared.call(*SMALL, "--joint", "one")
    assert (ended.status, "one encoder for questions and passages" in ended.error) == (2, True)


def test_results_without_titles_are_counted_and_without_text_refused(prepared):
    found = [json.loads(line) for line in (prepared.folder / "found.jsonl").read_text().splitlines()]
    for row in found:
        for ctx in row["ctxs"]:
            ctx["title"] = ""
    prepared.write("found.jsonl", *found)
    prepared.call(*JOINT).well()
    told = json.loads((prepared.workspace / "reader/manifest.json").read_text())
    assert told["counts"]["passages_without_title"] > 12
    assert told["parents"].keys() == {"retriever"}
    for row in found:
        for ctx in row["ctxs"]:
            ctx["text"] = ""
    prepared.write("found.jsonl", *found)
    ended = prepared.call(*JOINT)
    assert ended.status == 3
    assert "--no-text" in ended.error


@pytest.mark.parametrize("name", ["roberta", "modernbert", "distilbert"])
def test_readers_of_other_model_families_are_trained(prepared, name):
    FAMILIES[name].save(prepared.folder / "other")
    line = [word if word != "base" else "other" for word in SMALL]
    line[line.index("--max-tokens") + 1] = 48
    ended = prepared.call(*line, "--dev", "found.jsonl", "--dev-questions", 3, "--epochs", 2).well()
    assert "dev loss" in ended.stderr
    spans = prepared.call("read", "found.jsonl").well().rows
    assert len(spans) == 12
    texts = {
        ctx["text"] for row in map(json.loads, open(prepared.folder / "found.jsonl")) for ctx in row["ctxs"]
    }
    assert all(any(row["answer"] in text for text in texts) for row in spans)

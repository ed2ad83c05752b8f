"""`mine-negatives` as a whole: where it takes things from, what it reports, and that it resumes."""

import json
import shutil
import signal

import pytest

from cli.conftest import CITIES, article
from cli.program import until
from densecli.files.atomic import partial_of
from densecli.files.lock import locked

MINE = ("mine-negatives", "questions.jsonl", "-o", "out")


def mined(program, folder="out"):
    lines = (program.folder / folder / "examples.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def counts(program, folder="out"):
    return json.loads((program.folder / folder / "manifest.json").read_text())["counts"]


def test_dense_negatives_come_from_the_workspace(prepared):
    prepared.call(*MINE, "--negatives", "dense:3,random:1").well()
    rows = mined(prepared)
    assert [row["answers"] for row in rows] == [[city] for city in CITIES]
    for row in rows:
        assert [one["source"] for one in row["hard_negative_ctxs"]] == ["dense"] * 3
        assert [one["source"] for one in row["negative_ctxs"]] == ["random"]
        ranks = [one["rank"] for one in row["hard_negative_ctxs"]]
        assert ranks == sorted(set(ranks))
        assert all(row["answers"][0] not in one["text"] for one in row["hard_negative_ctxs"])
    prepared.call("train", "out", "--encoder", "base", "--epochs", 1, "-o", "again").well()


def test_negatives_are_added_to_examples(prepared):
    prepared.call(*MINE, "--negatives", "bm25:2").well()
    line = ["mine-negatives", "out", "-o", "more", "--positives", "keep", "--negatives", "dense:2"]
    prepared.call(*line).well()
    for before, after in zip(mined(prepared), mined(prepared, "more"), strict=True):
        assert after["positive_ctxs"] == before["positive_ctxs"]
        assert after["hard_negative_ctxs"][:2] == before["hard_negative_ctxs"]
        assert [one["source"] for one in after["hard_negative_ctxs"]] == ["bm25"] * 2 + ["dense"] * 2
    inputs = [
        row["path"] for row in json.loads((prepared.folder / "more/manifest.json").read_text())["inputs"]
    ]
    assert not any(path.endswith("bm25") for path in inputs)


def test_examples_do_not_replace_themselves(prepared):
    with prepared.unchanged():
        ended = prepared.call("mine-negatives", ".densecli/examples/questions", "--force")
    assert (ended.status, "would take the place of its own input" in ended.error) == (2, True)


def test_gold_paragraphs_are_matched(prepared):
    paragraphs = [
        {
            "context": article(city),
            "qas": [{"id": city, "question": f"who of {city}", "answers": [{"text": city}]}],
        }
        for city in (*CITIES[:3], "Atlantis")
    ]
    prepared.write(
        "squad.json", json.dumps({"version": "1.1", "data": [{"title": "x", "paragraphs": paragraphs}]})
    )
    told = prepared.call("mine-negatives", "squad.json", "-o", "out").well().stderr
    assert [row["answers"] for row in mined(prepared)] == [[city] for city in CITIES[:3]]
    assert all(row["positive_ctxs"][0]["source"] == "gold" for row in mined(prepared))
    assert counts(prepared)["dropped_without_gold_passage"] == 1
    assert "dropped because the collection lacks their gold passage 1" in told


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        (["--negatives", "bm25:x"], 2, "expected each of bm25, dense, random, gold"),
        (["--negatives", "dense:101"], 2, "needs more than --depth 100"),
        (["--index", "index"], 2, "--index and --retriever have an effect only with --negatives dense"),
        (["--retriever", "starter"], 2, "have an effect only with --negatives dense"),
        (["--positives", "keep", "--negatives", "random", "--bm25", "b"], 2, "--bm25 has no effect"),
        (
            ["--positives", "gold", "--distant-query", "question"],
            2,
            "--distant-query has an effect only with",
        ),
        (
            ["--negatives", "dense", "--index", "nowhere"],
            4,
            "no index; run `densecli embed` and `densecli index`",
        ),
        (["--negatives", "dense", "--retriever", "starter"], 4, "was built with another retriever"),
        (["--audit", "3", "--quiet"], 2, "--audit has no effect with --quiet"),
    ],
)
def test_contradicting_options_are_refused(prepared, more, status, message):
    ended = prepared.call(*MINE, *more)
    assert (ended.status, message in ended.error) == (status, True), ended.error
    assert not (prepared.folder / "out").exists()


def test_an_index_of_other_passages_is_refused(prepared):
    prepared.write("new.jsonl", {"id": 1, "text": "Ulm is new"})
    prepared.call("preprocess", "new.jsonl", "--force").well()
    prepared.call("index", "--kind", "bm25", "--force").well()
    ended = prepared.call(*MINE, "--negatives", "dense")
    assert (ended.status, "was built over other passages" in ended.error) == (4, True)


def test_an_audit_shows_examples_and_their_answers(prepared):
    told = prepared.call(*MINE, "--audit", 2, "--negatives", "bm25:4").well().stderr
    assert told.count("who was born in") == 2
    shown = [city for city in CITIES if f"[[{city}]]" in told]
    assert [f"who was born in {city}" in told for city in shown] == [True, True]
    assert told.count("- and 1 more") == 2
    again = prepared.call(*MINE, "--audit", 2, "--negatives", "bm25:4").well().stderr
    assert told[told.index("who was born in") :] in again
    assert "up to date" in again
    assert (
        prepared.call(*MINE, "--audit", 99, "--negatives", "bm25:4").well().stderr.count("who was born in")
        == 12
    )
    status, shown = prepared.talk(*MINE, "--audit", 1, "--negatives", "bm25:4")
    city = next(city for city in CITIES if f"who was born in {city}" in shown)
    assert (status, f"\x1b[1;32m{city}\x1b[0m" in shown, "[[" in shown) == (0, True, False)


def test_brackets_enclose_overlapping_answers(prepared):
    answers = ["Ulm wrote", "wrote a song"]
    prepared.write("odd.jsonl", {"question": "who was born in Ulm", "answers": answers})
    told = prepared.call("mine-negatives", "odd.jsonl", "--audit", 1, "--negatives", "none").well().stderr
    assert "of [[Ulm wrote a song]] of the sea." in " ".join(told.split())


def test_progress_is_shown_in_questions(prepared):
    _, shown = prepared.talk(*MINE, "--negatives", "bm25:3")
    assert "12/12" in shown


def test_mining_without_examples_is_reported(prepared):
    prepared.write("nowhere.jsonl", {"question": "who was born in Ulm", "answers": ["Atlantis"]})
    told = prepared.call("mine-negatives", "nowhere.jsonl", "-o", "out", "--depth", 200).well().stderr
    assert "warning: no question has a positive passage: there is nothing to train on" in told
    assert "warning: --depth is 200, the collection has 36: all are ranked" in told
    assert counts(prepared) == {"questions": 1, "dropped_without_positive": 1}
    ended = prepared.call("train", "out", "--encoder", "base", "-o", "model")
    assert (ended.status, "is empty" in ended.error) == (3, True)


def test_mining_resumes_where_it_was_stopped(prepared):
    rows = ((prepared.folder / "questions.jsonl").read_text() + "{broken\n") * 200
    (prepared.folder / "many.jsonl").write_text(rows)
    line = ["mine-negatives", "many.jsonl", "--workers", 2, "--negatives", "bm25:2,random:2,gold:2"]
    line += ["--on-error", "skip"]
    prepared.call(*line, "-o", "whole").well()
    partial = prepared.folder / ".out.partial" / "work"
    note = partial / "progress.json"

    def noted():
        return note.read_bytes() if note.exists() else b""

    for number in (signal.SIGINT, signal.SIGKILL):
        before = noted()
        running = prepared.start(*line, "-o", "out")
        until(lambda: noted() not in (before, b""))  # noqa: B023 - used at once
        running.send(number)
        assert running.wait().status == (130 if number == signal.SIGINT else -number)
        assert partial.exists(), "it was not in the middle"
    assert "resuming at question " in prepared.call(*line, "-o", "out").well().stderr
    assert mined(prepared) == mined(prepared, "whole")
    assert counts(prepared) == counts(prepared, "whole")
    assert counts(prepared)["skipped_broken_json"] == 200
    assert {path.name for path in (prepared.folder / "out").iterdir()} == {"examples.jsonl", "manifest.json"}
    assert not partial.exists()


def test_an_index_that_a_killed_run_has_finished_is_used(prepared):
    target = prepared.workspace / "bm25"
    with locked(target):
        target.rename(partial_of(target))
    shutil.rmtree(prepared.workspace / "examples")
    prepared.call("mine-negatives", "questions.jsonl").well()
    assert (prepared.workspace / "examples" / "questions" / "examples.jsonl").is_file()
    assert target.is_dir()

"""Choosing answers from the command line: tuning, thresholds, and the text of an answer."""

import json
import os


def test_a_tuned_reader_uses_its_tuned_values(prepared):
    (tuned,) = prepared.call("read", "--tune", "found.jsonl").well().rows
    assert tuned["questions"] == 12
    stored = json.loads((prepared.folder / ".densecli/reader/selection.json").read_text())
    assert {name: stored[name] for name in tuned} == tuned
    shown = prepared.call("read", "--tune", "questions.jsonl", "-k", 2, "--format", "text").well().stdout
    assert "--select passage" in shown
    assert "-k 2" in shown
    assert "--min-score" in shown
    rows = prepared.call("read", "found.jsonl", "--min-score", 1).well().rows
    assert {row["answer"] for row in rows} == {""}
    by_score = prepared.call("read", "found.jsonl", "--select", "joint", "--decode", "reference").well().rows
    assert all(row["answer"] == row["answer"].lower() for row in by_score)
    assert all(row["answer_score"] <= 1e-6 for row in by_score)


def test_a_tuned_reader_can_be_trained_again(prepared):
    prepared.call("read", "--tune", "found.jsonl").well()
    options = ("--encoder", "base", "--batch-size", 4, "--max-tokens", 64, "--force")
    prepared.call("train-reader", "found.jsonl", *options).well()
    assert not (prepared.folder / ".densecli/reader/selection.json").exists()


def test_a_question_with_tune_is_refused(prepared):
    ended = prepared.call("read", "who was born in Rome", "--tune", "found.jsonl")
    assert (ended.status, "a question has no effect with --tune" in ended.error) == (2, True)


def test_tuning_needs_answers(prepared):
    prepared.write("bare.jsonl", {"question": "who was born in Rome"})
    ended = prepared.call("read", "--tune", "bare.jsonl")
    assert ended.status == 3
    assert "no question has answers" in ended.stderr


def test_a_pipe_cannot_tune(prepared):
    for place in ("-", "pipe"):
        if place == "pipe":
            os.mkfifo(prepared.folder / place)
        ended = prepared.run("read", "--tune", place, stdin=(prepared.folder / "found.jsonl").read_bytes())
        assert (ended.status, "a pipe can be read only once" in ended.error) == (2, True)

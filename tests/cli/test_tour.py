"""All stages on a tiny corpus, as the fixture has run them: each reads what the one before has written."""

import json

from densecli.models.folder import passage_fingerprint


def test_every_stage_writes_its_result(prepared):
    folders = ["passages", "bm25", "examples/questions", "retriever", "vectors", "index", "reader"]
    told = {name: json.loads((prepared.workspace / name / "manifest.json").read_text()) for name in folders}
    commands = ["preprocess", "index", "mine-negatives", "train", "embed", "index", "train-reader"]
    assert [row["command"] for row in told.values()] == commands
    assert told["vectors"]["parents"]["passages"] == told["passages"]["fingerprint"]
    assert told["index"]["parents"] == {
        "retriever": told["retriever"]["fingerprint"],
        "passage_tower": passage_fingerprint(prepared.workspace / "retriever"),
        "passages": told["passages"]["fingerprint"],
        "vectors": told["vectors"]["fingerprint"],
    }
    assert prepared.leftovers() == set()


def test_running_all_stages_again_changes_nothing(prepared):
    small = ("--encoder", "base", "--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64)
    lines = [
        ("preprocess", "articles.jsonl", "--words", 20),
        ("index", "--kind", "bm25"),
        ("mine-negatives", "questions.jsonl"),
        ("train", *small),
        ("embed",),
        ("index",),
        ("train-reader", "found.jsonl", "--encoder", "base", "--batch-size", 4, "--max-tokens", 64),
    ]
    with prepared.unchanged():
        for line in lines:
            assert prepared.call(*line).well().stderr.endswith(": up to date\n")

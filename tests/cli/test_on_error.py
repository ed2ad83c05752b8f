"""`--on-error skip`: what cannot be used is counted by reason, three are told, the rest goes through."""

import gzip
import json

import pytest

from cli.test_bad_input import FORCED, GOOD, fails

BROKEN = ["{", "{", "[1]", "[2]"]
SMALL = ["--epochs", 1, "--batch-size", 2]
OPTIONS = {
    "mine-negatives": ["-o", "out", "--negatives", "random:1"],
    "train": [*SMALL, "-o", "out", "--encoder", "base", "--max-passage-tokens", 32],
    "train-reader": [*SMALL, "-o", "out", "--encoder", "base", "--passages", 2],
    "read": ["-k", 1],
}
GIVEN = GOOD | {"mine-negatives": {"question": "who was born in Ulm", "answers": ["Ulm"]}}


@pytest.mark.parametrize("command", [name for name in GOOD if name != "preprocess"])
def test_bad_records_are_counted_and_the_first_ones_shown(prepared, command):
    prepared.write("x.jsonl", GIVEN[command], *BROKEN, GIVEN[command])
    ended = prepared.call(command, "x.jsonl", *OPTIONS.get(command, []), "--on-error", "skip").well()
    told = [line for line in ended.stderr.splitlines() if line.startswith("warning: skipped x.jsonl:")]
    assert [line.split(":")[2] for line in told] == ["2", "3", "4"]
    counts = {"skipped_broken_json": 2, "skipped_wrong_type": 2}
    if command in FORCED:
        made = json.loads((prepared.folder / "out" / "manifest.json").read_text())["counts"]
        assert made.items() >= counts.items()
    elif command == "evaluate":
        assert ended.rows[0]["questions"] == 2
        assert ended.rows[0]["counts"].items() >= counts.items()
    else:
        assert len(ended.rows) == 2
    assert "skipped: broken JSON 2, skipped: field of a wrong type 2" in ended.stderr


def test_a_reader_is_trained_without_results_that_have_no_text(prepared):
    rows = [json.loads(line) for line in (prepared.folder / "found.jsonl").read_text().splitlines()]
    bare = rows[0] | {"ctxs": [{**ctx, "text": ""} for ctx in rows[0]["ctxs"]]}
    prepared.write("x.jsonl", bare, *rows[1:])
    line = ["train-reader", "x.jsonl", *OPTIONS["train-reader"]]
    assert "x.jsonl: record 1: question " in fails(prepared, *line)
    told = prepared.call(*line, "--on-error", "skip").well().stderr
    assert "warning: skipped x.jsonl: record 1: question " in told
    assert "expected results that `densecli search` wrote without --no-text\n" in told


def test_convert_skips_incomplete_records(prepared):
    prepared.write("q.jsonl", {"id": "q1", "question": "who"})
    prepared.write("x.run", b"q1 Q0 a 1 2.0 t\nq1 Q0 b 2\nq2 Q0 a 1 1.0 t\n")
    known = ("convert", "x.run", "--questions", "q.jsonl", "--to", "jsonl")
    assert fails(prepared, *known).startswith("x.run:2: another number of columns (4)")
    ended = prepared.call(*known, "--on-error", "skip").well()
    assert [row["question"] for row in ended.rows] == ["who"]
    assert "x.run: record 2: question 'q2' is not among the questions" in ended.stderr
    assert "records 2, skipped: wrong number of columns 1, skipped: unknown id" in ended.stderr


def test_records_before_a_broken_part_are_used(prepared):
    rows = "".join(json.dumps(GOOD["evaluate"] | {"id": str(n * n)}) + "\n" for n in range(30_000))
    prepared.write("x.jsonl.gz", gzip.compress(rows.encode())[:-2000])
    assert "the gzip stream is cut off" in fails(prepared, "evaluate", "x.jsonl.gz")
    [row] = prepared.call("evaluate", "x.jsonl.gz", "--on-error", "skip").well().rows
    assert 1000 < row["questions"] < 30_000
    assert row["counts"]["skipped_rest_of_broken_file"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "who was born in Ulm"],
        ["read", "who was born in Ulm"],
        ["convert", ".densecli/retriever", "--to", "dpr-hf", "-o", "out"],
    ],
)
def test_on_error_has_no_effect_without_records(prepared, arguments):
    assert "--on-error has" in fails(prepared, *arguments, "--on-error", "skip", status=2)


def test_a_run_is_read_and_measured_with_its_questions_and_passages(prepared):
    run = prepared.call("convert", "found.jsonl", "--to", "trec").well().stdout
    prepared.write("found.run", run.encode())
    texts = ("--questions", "questions.jsonl", "--passages", ".densecli/passages")
    for command in ("evaluate", "read"):
        whole, bare = (
            [
                measures(row) if command == "evaluate" else row
                for row in prepared.call(command, *arguments).well().rows
            ]
            for arguments in (("found.jsonl",), ("found.run", *texts))
        )
        assert bare == whole
        for given in ((), texts[:2], texts[2:]):
            error = fails(prepared, command, "found.run", *given)
            assert error.endswith(
                "holds ids only (a TREC run); expected texts: --questions FILE --passages FOLDER add them"
            )
    assert "--questions has an effect only on results" in fails(
        prepared, "read", "who was born in Ulm", *texts, status=2
    )


def test_results_without_texts_are_skipped(prepared):
    rows = [json.loads(line) for line in (prepared.folder / "found.jsonl").read_text().splitlines()][:2]
    whole, bare = rows[0], json.loads(json.dumps(rows[-1]))
    for ctx in bare["ctxs"]:
        for name in ("title", "text", "has_answer"):
            ctx.pop(name, None)
    prepared.write("x.jsonl", bare, whole)
    assert fails(prepared, "read", "x.jsonl").startswith("x.jsonl: record 1: question ")
    ended = prepared.call("read", "x.jsonl", "--on-error", "skip").well()
    assert len(ended.rows) == 1
    assert "warning: skipped x.jsonl: record 1: question " in ended.stderr
    prepared.write("y.jsonl", bare)
    assert "none of its 1 records can be used" in fails(prepared, "read", "y.jsonl", "--on-error", "skip")
    # for evaluate an empty text is a miss, unless there are no texts at all
    [row] = prepared.call("evaluate", "x.jsonl").well().rows
    assert (row["questions"], row["counts"]["questions_without_text"]) == (2, 1)
    for more in ((), ("--on-error", "skip")):
        assert "has no text to find answers in" in fails(prepared, "evaluate", "y.jsonl", *more)


@pytest.mark.parametrize("command", ["read", "evaluate"])
def test_existing_texts_are_not_looked_up(prepared, command):
    error = fails(prepared, command, "found.jsonl", "--passages", ".densecli/passages", status=2)
    assert error == "found.jsonl: its passages have their texts: --passages has no effect"


def measures(row):
    """What a row of evaluate tells, but for where it comes from."""
    counts = {name: count for name, count in row["counts"].items() if count}
    return {**row, "counts": counts, "results": "", "input": None, "reference": None}

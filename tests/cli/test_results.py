import json

import pytest


@pytest.fixture
def found(prepared):
    """The results as JSON lines, and a way to have them in another form."""

    def search(*more):
        return prepared.call("search", "questions.jsonl", "--mode", "bm25", "-k", 3, *more).well().stdout

    rows = [json.loads(line) for line in search().splitlines()]
    return search, rows


def test_each_format_contains_the_same_results(found):
    search, rows = found
    whole = json.loads(search("--format", "dpr"))
    assert [[ctx["id"] for ctx in row["ctxs"]] for row in whole] == [
        [ctx["id"] for ctx in row["ctxs"]] for row in rows
    ]
    assert all(
        set(ctx) == {"id", "title", "text", "score", "has_answer"} for row in whole for ctx in row["ctxs"]
    )
    places = [(row["id"], rank, ctx) for row in rows for rank, ctx in enumerate(row["ctxs"], 1)]
    trec = [(one, ctx["id"], str(rank), repr(ctx["score"])) for one, rank, ctx in places]
    assert [
        tuple(line.split()[i] for i in (0, 2, 3, 4)) for line in search("--format", "trec").splitlines()
    ] == trec
    msmarco = [f"{one}\t{ctx['id']}\t{rank}" for one, rank, ctx in places]
    assert search("--format", "msmarco").splitlines() == msmarco
    tevatron = [f"{one}\t{ctx['id']}\t{ctx['score']!r}" for one, rank, ctx in places]
    assert search("--format", "tevatron").splitlines() == tevatron
    assert [json.loads(line) for line in search("--format", "jsonl").splitlines()] == rows


def test_options_that_contradict_a_format_are_refused(prepared):
    for option in ("--json", "--no-text"):
        ended = prepared.call("search", "questions.jsonl", "--format", "trec", option)
        assert ended.status == 2
        assert option in ended.error


def test_results_of_questions_without_answers_are_written(prepared):
    """DPR's form says of each passage whether it holds an answer: no, where there is none."""
    [row] = json.loads(prepared.call("search", "who was born in Ulm", "--format", "dpr").well().stdout)
    assert {ctx["has_answer"] for ctx in row["ctxs"]} == {False}


def test_results_are_compressed_according_to_the_file_name(prepared):
    for name in ("found.jsonl.gz", "found.jsonl.zst"):
        prepared.call("search", "questions.jsonl", "--mode", "bm25", "-k", 1, "-o", name).well()
    [packed, other] = prepared.call("evaluate", "found.jsonl.gz", "found.jsonl.zst", "-q").well().rows[:2]
    assert packed["top_k"] == other["top_k"]
    assert (prepared.folder / "found.jsonl.gz").read_bytes().startswith(b"\x1f\x8b")


def test_a_repeated_question_is_skipped_in_a_run(prepared):
    prepared.write("twice.jsonl", *({"id": one, "question": "who was born in Rome"} for one in "aba"))
    line = ("search", "twice.jsonl", "--format", "trec", "-k", 1, "--mode", "bm25")
    assert "'a'" in prepared.call(*line).error
    ended = prepared.call(*line, "--on-error", "skip", "-o", "run.trec").well()
    assert [row.split()[0] for row in (prepared.folder / "run.trec").read_text().splitlines()] == ["a", "b"]
    assert "skipped" in ended.stderr


def test_places_for_results_are_checked_before_the_work(prepared):
    (prepared.folder / "folder.svg").mkdir()
    for option in ("-o", "--plot", "--report"):
        ended = prepared.call("evaluate", "missing.jsonl", option, "articles.jsonl/x.svg")
        assert (ended.status, "articles.jsonl/x.svg" in ended.error) == (5, True)
        ended = prepared.call("evaluate", "missing.jsonl", option, "folder.svg")
        assert (ended.status, "folder.svg: is a folder" in ended.error) == (2, True)
    for line in (("read", "--tune", "found.jsonl"), ("search", "--tune-lambda", "questions.jsonl")):
        ended = prepared.call(*line, "-o", "articles.jsonl/x.json")
        assert (ended.status, "articles.jsonl/x.json" in ended.error) == (5, True)
        assert not list(prepared.workspace.glob("*/*on.json"))

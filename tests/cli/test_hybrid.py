"""Hybrid search from the command line: which sides are searched, with which λ, and what makes no sense."""

import json
import shutil

import pytest

QUESTION = ("search", "who was born in Rome", "-k", 5)


def told(ended):
    return next(line for line in ended.stderr.splitlines() if line.startswith("searching"))


def fails(prepared, *arguments, status=2):
    with prepared.unchanged():
        ended = prepared.call(*arguments)
    assert ended.status == status, ended.stderr
    return ended.error


@pytest.mark.parametrize(
    ("missing", "expected"), [(None, "hybrid, λ by the spread"), ("index", "bm25"), ("bm25", "dense")]
)
def test_hybrid_search_is_the_default_when_both_indexes_exist(prepared, missing, expected):
    if missing:
        shutil.rmtree(prepared.workspace / missing)
    ended = prepared.call(*QUESTION).well()
    assert told(ended).startswith(f"searching 36 passages, {expected}")
    assert len(ended.rows[0]["ctxs"]) == 5


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["--index", ".densecli/index"], "dense"),
        (["--index", ".densecli/bm25"], "bm25"),
        (["--index", ".densecli/index", "--bm25", ".densecli/bm25"], "hybrid"),
        (["--index", ".densecli/index", "--mode", "hybrid"], "hybrid"),
        (["--bm25", ".densecli/bm25"], "hybrid"),
        (["--bm25", ".densecli/bm25", "--mode", "bm25"], "bm25"),
    ],
)
def test_the_named_index_is_searched(prepared, named, expected):
    assert told(prepared.call(*QUESTION, *named).well()).split(", ")[1].split(",")[0] == expected


def test_reading_and_interactive_search_are_hybrid(prepared):
    assert "hybrid" in told(prepared.call("read", "who was born in Rome").well())
    status, shown = prepared.talk("search", typed=["who was born in Oslo\n", "\x04"])
    assert status == 0
    assert "searching 36 passages, hybrid" in shown


def test_a_score_is_bm25_plus_weight_times_inner_product(prepared):
    def scores(*options):
        row = prepared.call("search", "king of Rome", "-k", 36, *options).well().rows[0]
        return {ctx["id"]: ctx["score"] for ctx in row["ctxs"]}

    words, dense = scores("--mode", "bm25"), scores("--mode", "dense")
    for weight, fused in ((2.5, scores("--lambda", 2.5)), (1.1, scores("--preset", "paper"))):
        assert fused == {
            name: pytest.approx(words.get(name, 0) + weight * score, rel=1e-4)
            for name, score in dense.items()
        }


def test_the_sample_ships_with_a_weight_tuned_on_its_development_questions(program):
    assert "hybrid" in told(ended := program.call("search", "who voiced Meg").well())
    assert "tuned on 85 questions" in told(ended)


def test_the_tuned_weight_is_used_only_for_its_indexes(prepared):
    before = prepared.results()
    ended = prepared.call("search", "--tune-lambda", "questions.jsonl").well()
    assert set(prepared.results()) - set(before) == {"index/fusion.json"}
    assert prepared.results().items() >= before.items()
    assert prepared.leftovers() == set()
    stored = json.loads((prepared.workspace / "index" / "fusion.json").read_text())
    weight = ended.rows[0]["weight"]
    assert (stored["weight"], stored["questions"], stored["source"]) == (weight, 12, "questions.jsonl")
    assert f"λ {weight:g} (tuned on 12 questions)" in told(prepared.call(*QUESTION).well())
    assert prepared.call("index").well().stderr.endswith(": up to date\n")
    assert "λ 3" in told(prepared.call(*QUESTION, "--lambda", 3).well())
    prepared.call("index", "--kind", "hnsw", "--force").well()
    assert "(tuned on 12 questions)" in told(prepared.call(*QUESTION).well())
    other = "the tuned λ is for another retriever, BM25 index or --missing"
    assert other in told(prepared.call(*QUESTION, "--missing", "min").well())
    prepared.call("index", "--kind", "bm25", "--k1", 1.5, "--force").well()
    assert other in told(prepared.call(*QUESTION).well())
    prepared.call("search", "--tune-lambda", "questions.jsonl").well()
    assert "tuned on 12 questions" in told(prepared.call(*QUESTION).well())


def test_the_sample_cannot_be_tuned(program):
    program.write("dev.jsonl", {"question": "who voiced Meg", "answers": ["Mila Kunis"]})
    ended = program.call("search", "--tune-lambda", "dev.jsonl")
    assert (ended.status, "run `densecli preprocess` first" in ended.error) == (4, True)
    assert not program.workspace.exists()


def test_questions_for_tuning_are_read_from_standard_input(prepared):
    questions = (prepared.folder / "questions.jsonl").read_text()
    prepared.call("search", "--tune-lambda", "-", stdin=questions).well()
    stored = json.loads((prepared.workspace / "index" / "fusion.json").read_text())
    assert (stored["source"], stored["sha256"], stored["questions"]) == ("-", "", 12)


def test_tuning_over_a_damaged_weight_replaces_it(prepared):
    (prepared.workspace / "index" / "fusion.json").write_text("{")
    assert "run `densecli search --tune-lambda`" in fails(prepared, *QUESTION, status=4)
    prepared.call("search", "--tune-lambda", "questions.jsonl").well()
    prepared.call(*QUESTION).well()


def test_tuning_on_a_terminal_shows_a_table(prepared):
    status, shown = prepared.talk("search", "--tune-lambda", "questions.jsonl")
    assert status == 0
    assert [name in shown for name in ("BM25", "dense", "BM25 + ", "top-20")] == [True] * 4


def test_tuning_without_answers_is_refused(prepared):
    prepared.write("bare.jsonl", {"question": "who was born in Rome"})
    for name, reason in (("bare.jsonl", "no question with an answer"), ("none.jsonl", "no such file")):
        assert reason in fails(prepared, "search", "--tune-lambda", name, status=3)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--fusion", "rrf", "--lambda", 2], "--lambda has an effect only with --fusion linear"),
        (["--fusion", "rrf", "--preset", "paper"], "--preset has an effect only with --fusion linear"),
        (["--fusion", "rrf", "--missing", "min"], "--missing has an effect only with --fusion linear"),
        (["--mode", "dense", "--lambda", 2], "--lambda has an effect only with --mode hybrid"),
        (["--mode", "bm25", "--candidates", 9], "--candidates has an effect only with --mode hybrid"),
        (
            ["--index", ".densecli/index", "--lambda", 2],
            "--lambda has an effect only with --mode hybrid",
        ),
        (["--preset", "paper", "--lambda", 2], "--preset paper has no effect with --lambda"),
        (["--lambda", -1], "greater than or equal to 0"),
        (["--mode", "dense", "--bm25", ".densecli/bm25"], "--bm25 has no effect on a dense search"),
        (["--index", ".densecli/bm25", "--bm25", ".densecli/bm25"], "--bm25 has no effect on a bm25 search"),
        (["--index", ".densecli/bm25", "--mode", "hybrid"], "is for bm25 search, --mode is hybrid"),
        (["--index", ".densecli/index", "--mode", "bm25"], "is for dense search, --mode is bm25"),
    ],
)
def test_options_without_effect_are_refused(prepared, options, reason):
    assert reason in fails(prepared, *QUESTION, *options)


@pytest.mark.parametrize(
    "options",
    [
        ["who"],
        ["-k", 3],
        ["--lambda", 2],
        ["--preset", "paper"],
        ["--fusion", "rrf"],
        ["--no-text"],
        ["--mode", "dense"],
        ["--split", "dev"],
        ["--data-dir", "."],
        ["--ask"],
    ],
)
def test_options_without_effect_on_tuning_are_refused(prepared, options):
    assert "effect" in fails(prepared, "search", "--tune-lambda", "questions.jsonl", *options)


def test_results_of_tuning_have_one_form(prepared):
    line = ("search", "--tune-lambda", "questions.jsonl")
    assert "contradict" in fails(prepared, *line, "--format", "trec")
    assert prepared.call(*line, DENSECLI_FORMAT="trec").well().rows[0]["weight"]


@pytest.mark.parametrize(("missing", "reason"), [("bm25", "no bm25 index"), ("index", "no index")])
def test_hybrid_search_needs_both_indexes(prepared, missing, reason):
    shutil.rmtree(prepared.workspace / missing)
    assert reason in fails(prepared, *QUESTION, "--mode", "hybrid", status=4)
    assert reason in fails(prepared, "search", "--tune-lambda", "questions.jsonl", status=4)


def test_hybrid_options_are_refused_when_one_index_is_missing(prepared):
    shutil.rmtree(prepared.workspace / "bm25")
    assert "only with --mode hybrid" in fails(prepared, *QUESTION, "--lambda", 2)


def test_a_question_of_stop_words_is_answered_by_the_dense_index(prepared):
    rows = prepared.call("search", "the of and", "-k", 5).well().rows
    dense = prepared.call("search", "the of and", "-k", 5, "--mode", "dense").well().rows
    assert [ctx["id"] for ctx in rows[0]["ctxs"]] == [ctx["id"] for ctx in dense[0]["ctxs"]]


def test_a_rebuilt_index_keeps_its_weight(prepared):
    """It is in the new folder before that takes the place of the old one, and no manifest has its digest."""
    prepared.call("search", "--tune-lambda", "questions.jsonl").well()
    tuned = (prepared.workspace / "index" / "fusion.json").read_bytes()
    prepared.call("index", "--force").well()
    assert (prepared.workspace / "index" / "fusion.json").read_bytes() == tuned
    told = json.loads((prepared.workspace / "index" / "manifest.json").read_text())
    assert "fusion.json" not in told["files"]
    prepared.call("status", "--verify").well()

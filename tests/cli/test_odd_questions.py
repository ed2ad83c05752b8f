"""Questions that are hard to mine or to search for: a clear outcome for each, through the command."""

import json

import pytest

from cli.conftest import CITIES

ASKED = "who was born in Rome"
REAL = {"question": ASKED, "answers": ["Rome"]}


def mined(program, *questions, options=()):
    """Return the examples and the counts that come of questions, and what the program said."""
    program.write("odd.jsonl", *questions)
    said = program.call("mine-negatives", "odd.jsonl", "-o", "odd", "--force", *options).well().stderr
    lines = (program.folder / "odd" / "examples.jsonl").read_text().splitlines()
    counts = json.loads((program.folder / "odd" / "manifest.json").read_text())["counts"]
    return [json.loads(line) for line in lines], counts, said


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"question": ASKED}, "dropped_without_answer"),
        ({"question": ASKED, "answers": [""]}, "dropped_without_answer"),
        ({"question": ASKED, "answers": ["(Rome"], "answer_type": "regex"}, "dropped_without_answer"),
        ({"question": ASKED, "answers": ["Atlantis"]}, "dropped_without_positive"),
        ({"question": "the of and", "answers": ["Rome"]}, "dropped_without_positive"),
        ({"question": "???", "answers": ["Rome"]}, "dropped_without_positive"),
        ({"question": "谁出生在罗马", "answers": ["罗马"]}, "dropped_without_positive"),
    ],
)
def test_a_question_without_a_positive_is_dropped_and_reported(prepared, odd, reason):
    examples, counts, said = mined(prepared, odd, REAL)
    assert [example["question"] for example in examples] == [ASKED]
    assert (counts["questions"], counts["examples"], counts[reason]) == (2, 1, 1)
    assert reason.replace("_", " ") + " 1" in said


def test_an_invalid_pattern_is_counted_and_the_others_are_used(prepared):
    odd = {"question": ASKED, "answers": ["(Rome", "R.me"], "answer_type": "regex"}
    examples, counts, said = mined(prepared, odd)
    assert len(examples) == 1
    assert counts["invalid_patterns"] == 1
    assert "invalid patterns 1" in said
    for line in (("search", "odd.jsonl", "-o", "found.jsonl"), ("evaluate", "found.jsonl")):
        ended = prepared.call(*line).well()
    assert ended.rows[0]["counts"]["invalid_patterns"] == 1


def test_an_answer_in_every_passage_leaves_no_negative(prepared):
    odd = {"question": ASKED, "answers": ["the"]}
    examples, counts, said = mined(prepared, odd, options=["--negatives", "bm25:3,random:2"])
    assert examples[0]["hard_negative_ctxs"] == examples[0]["negative_ctxs"] == []
    assert (counts["with_fewer_bm25_negatives"], counts["with_fewer_random_negatives"]) == (1, 1)
    assert "with fewer bm25 negatives than asked for 1" in said


def test_a_question_of_ten_thousand_words_is_mined_and_searched(prepared):
    words = " ".join([*(f"word{number}" for number in range(9_996)), "born", "in", "Rome"])
    examples, _, _ = mined(prepared, {"question": words, "answers": ["Rome"]})
    assert "Rome" in examples[0]["positive_ctxs"][0]["text"]
    for mode in ("bm25", "dense", "hybrid"):
        rows = prepared.call("search", "odd.jsonl", "--mode", mode, "-k", 3).well().rows
        assert len(rows[0]["ctxs"]) == 3


@pytest.mark.parametrize("question", ["the of and", "???", "谁出生在罗马", "кто родился", "🙂"])
def test_a_question_without_a_known_word_finds_nothing_in_bm25(prepared, question):
    ended = prepared.call("search", question, "--mode", "bm25").well()
    assert ended.rows[0]["ctxs"] == []
    assert "warning: 1 of 1 questions found nothing" in ended.stderr
    assert len(prepared.call("search", question, "--mode", "hybrid", "-k", 3).well().rows[0]["ctxs"]) == 3


def test_scripts_without_spaces_are_searched_by_character(program):
    texts = {"zh": "罗马是意大利的首都", "ru": "Столица Италии — Рим", "ar": "روما عاصمة إيطاليا"}
    program.write("texts.jsonl", *({"id": name, "text": text} for name, text in texts.items()))
    program.call("preprocess", "texts.jsonl").well()
    asked = [("首都在哪里", "罗马"), ("столица какой страны", "Рим"), ("ما هي عاصمة", "روما")]
    kinds = ["regex", "string", "string"]  # by the authors' rules a string is matched by whole words
    rows = ({"question": one, "answers": [answer]} for one, answer in asked)
    program.write("q.jsonl", *(row | {"answer_type": kind} for row, kind in zip(rows, kinds, strict=True)))
    program.call("mine-negatives", "q.jsonl", "-o", "out", "--negatives", "random:2").well()
    lines = (program.folder / "out" / "examples.jsonl").read_text().splitlines()
    assert [json.loads(line)["positive_ctxs"][0]["text"] for line in lines] == list(texts.values())


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_asking_for_more_passages_than_exist_returns_all_with_a_warning(prepared, mode):
    ended = prepared.call("search", ASKED, "--mode", mode, "-k", 500).well()
    assert "warning: -k is 500, and the collection has 36 passages: all are shown" in ended.stderr
    found = len(ended.rows[0]["ctxs"])
    assert found == 3 * len(CITIES) if mode != "bm25" else 0 < found <= 3 * len(CITIES)


def test_a_corpus_without_passages_is_refused(program):
    program.write("short.jsonl", {"id": 1, "text": "too few words"})
    ended = program.call("preprocess", "short.jsonl", "--min-words", 50)
    assert ended.status == 3
    assert "no passage" in ended.error
    assert not (program.workspace / "passages").exists()


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ((), False),
        (("--negatives", "bm25,random:2"), True),
        (("--negatives", "gold"), True),
        (("--audit", 1), True),
    ],
)
def test_a_seed_has_an_effect_only_on_random_choices(prepared, options, allowed):
    ended = prepared.call("mine-negatives", "questions.jsonl", "-o", "out", "--seed", 7, *options)
    assert ended.status == (0 if allowed else 2)
    if not allowed:
        assert "--seed has an effect only on random and gold --negatives, and on --audit" in ended.error


def test_gold_negatives_are_passages_of_the_collection(prepared):
    prepared.call("mine-negatives", "questions.jsonl", "-o", "first").well()
    lines = (prepared.folder / "first" / "examples.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    rows[0]["positive_ctxs"] = [{"title": "", "text": "A text from elsewhere", "passage_id": "elsewhere"}]
    options = ("--positives", "keep", "--negatives", "gold:50")
    examples, counts, _ = mined(prepared, *rows, options=options)
    golden = {one["passage_id"] for example in examples for one in example["negative_ctxs"]}
    assert "elsewhere" not in golden
    assert golden <= {row["positive_ctxs"][0]["passage_id"] for row in rows}
    assert counts["with_fewer_gold_negatives"] == len(examples)

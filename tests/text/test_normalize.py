import json
from pathlib import Path

import pytest

from densecli.text.normalize import exact_match, f1_score, normalize_answer

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "em_normalization.json").read_text(encoding="utf-8")
)

BEYOND_THE_REFERENCE = {("Beyoncé", "Beyonce\u0301"), ("a", "the"), ("", ""), ("...", "")}
"""Pairs that the reference judges otherwise: one word in two Unicode forms is right, and nothing is wrong."""


@pytest.mark.parametrize("pair", GOLDEN["pairs"], ids=lambda pair: f"{pair['prediction']}={pair['gold']}")
def test_agrees_with_the_reference(pair):
    assert normalize_answer(pair["prediction"]) == pair["norm_prediction"]
    assert normalize_answer(pair["gold"]) == pair["norm_gold"]
    agreed = (pair["prediction"], pair["gold"]) not in BEYOND_THE_REFERENCE
    assert exact_match(pair["prediction"], [pair["gold"]]) is (pair["em"] if agreed else not pair["em"])


@pytest.mark.parametrize(
    ("prediction", "answer", "exact"),
    [
        ("", "A", False),
        ("", "", False),
        (" ", "The The", False),
        ("the", "A", False),
        ("!", "?", False),
        ("a", "A", True),
        ("The  The", "the the", True),
        ("AC/DC", "ac dc", False),
        ("cafe\u0301", "caf\u00e9", True),
        ("\u1112\u1161\u11ab", "\ud55c", True),
    ],
)
def test_an_empty_answer_never_matches_and_unicode_forms_are_equal(prediction, answer, exact):
    assert exact_match(prediction, [answer]) is exact


@pytest.mark.parametrize(
    ("prediction", "answers", "f1"),
    [
        ("the Eiffel Tower", ["Eiffel tower"], 1.0),
        ("the tall Eiffel Tower in Paris", ["Eiffel tower"], 2 * 2 / (5 + 2)),
        ("Eiffel", ["tower of London", "Eiffel tower"], 2 / 3),
        ("tower tower", ["tower"], 2 / 3),
        ("cafe\u0301 noir", ["caf\u00e9"], 2 / 3),
        ("Rome", ["Paris"], 0.0),
        ("", ["Paris"], 0.0),
        ("the", ["a"], 0.0),
        ("A", ["a"], 1.0),
        ("Paris", [], 0.0),
    ],
)
def test_f1_is_computed_from_common_words(prediction, answers, f1):
    assert f1_score(prediction, answers) == pytest.approx(f1)


def test_f1_of_a_regex_answer_is_0_or_1():
    assert f1_score("1936", [r"19\d\d"], "regex") == 1.0
    assert f1_score("in 1936", [r"19\d\d"], "regex") == 0.0


@pytest.mark.parametrize("case", GOLDEN["multi"], ids=lambda case: case["prediction"])
def test_any_of_several_answers_may_match(case):
    assert exact_match(case["prediction"], case["golds"]) is case["em"]


@pytest.mark.parametrize("answer_type", ["string", "regex"])
def test_without_answers_there_is_no_exact_match(answer_type):
    assert not exact_match("Paris", [], answer_type)


@pytest.mark.parametrize(
    ("prediction", "exact"),
    [
        ("1936", True),
        (" 1936 ", True),
        ("in 1936", False),
        ("LONG ISLAND", True),
        ("Long", False),
        ("", False),
    ],
)
def test_a_pattern_must_match_the_whole_prediction(prediction, exact):
    assert exact_match(prediction, [r"19\d\d|Long Island", "(", "x*"], "regex") is exact

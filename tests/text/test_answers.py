import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.errors import UsageError
from densecli.text.answers import AnswerMatcher
from densecli.text.prepared import PreparedText
from densecli.text.tokens import tokens

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "has_answer.json").read_text(encoding="utf-8"))
VECTORS = [vector for vector in GOLDEN["vectors"] if vector["match"] != "other"]
EMPTY_ANSWER_QUIRK = {"s17", "s18", "s19", "r08"}

pieces = [
    "é", "e\u0301", "e", "a\u0323\u0301", "a\u0301\u0323", "Σ", "ς", "σ", "İ", "한", "ﬁ", "²",
    "7", "北", "-", "'", "’", "=", "$", " ", "\u00a0", "\u200b", "\n", "S", "s", "ß", "_",
    "\u212a", "K", "k", ".", "\t", "\x7f", " a ", " b",
]  # fmt: skip
texts = st.lists(st.sampled_from(pieces), max_size=9).map("".join)


def naive_tokens(text):
    """Tokens by a walk over characters and their categories."""
    found, run = [], ""
    for character in [*unicodedata.normalize("NFD", text), " "]:
        kind = unicodedata.category(character)[0]
        if kind in "LNM":
            run += character
            continue
        if run:
            found.append(run.lower())
            run = ""
        if kind not in "ZC":
            found.append(character.lower())
    return found


def naive_found(text, answer):
    return any(window == naive_tokens(answer) for window in naive_windows(naive_tokens(text)))


def naive_windows(tokens):
    return [tokens[start:end] for start in range(len(tokens)) for end in range(start + 1, len(tokens) + 1)]


def naive_spans(text, answer):
    """Every stretch of text that is cut between tokens, not padded, and reads as the answer."""
    spans = []
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            parts = text[:start], text[start:end], text[end:]
            before, inside, after = (naive_tokens(part) for part in parts)
            padded = any(
                unicodedata.category(character)[0] in "ZC" for character in (text[start], text[end - 1])
            )
            if (
                inside == naive_tokens(answer)
                and before + inside + after == naive_tokens(text)
                and not padded
            ):
                spans.append((start, end))
    return spans


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_agrees_with_the_reference(vector):
    matcher = AnswerMatcher(vector["answers"], vector["match"])
    if vector["id"] in EMPTY_ANSWER_QUIRK:
        assert vector["expected"] is True
        assert matcher.dropped == 1
        assert not matcher.usable
        assert not matcher.found_in(vector["text"])
    else:
        assert matcher.found_in(vector["text"]) is vector["expected"]
        assert bool(matcher.spans(vector["text"])) is vector["expected"]


def test_a_prepared_text_is_searched_for_many_answers():
    text = PreparedText("Beyoncé was born in 1981, in Houston.")
    asked = {"beyoncé": True, "Beyonce": False, "1981": True, "19": False, "1981 in": False, "1981, in": True}
    assert {answer: AnswerMatcher([answer]).found_in(text) for answer in asked} == asked
    assert AnswerMatcher([r"19\d\d"], "regex").found_in(text)


def test_the_two_small_sigmas_are_two_letters():
    text = "ο δρόμος οδος είναι"
    assert AnswerMatcher(["οδος"]).found_in(text)
    assert not AnswerMatcher(["οδοσ"]).found_in(text)


def test_a_repeated_answer_is_searched_once():
    matcher = AnswerMatcher(["New York", "new  york", "York", ""])
    assert matcher.spans("in New York") == [(3, 11), (7, 11)]
    assert matcher.dropped == 1


def test_an_unknown_answer_type_is_refused():
    with pytest.raises(UsageError, match="kilt"):
        AnswerMatcher(["x"], "kilt")


@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_tokens_of_ascii_agree_with_the_naive_version(text):
    assert tokens(text) == naive_tokens(text)


@given(text=texts, answers=st.lists(texts, max_size=3))
def test_matches_agree_with_the_naive_version(text, answers):
    matcher = AnswerMatcher(answers)
    wanted = [answer for answer in answers if naive_tokens(answer)]
    assert matcher.dropped == len(answers) - len(wanted)
    assert matcher.usable is bool(wanted)
    prepared = PreparedText(text)
    found = [matcher.found_in(text), matcher.found_in(prepared), matcher.found_in(prepared)]
    assert found == [any(naive_found(text, answer) for answer in wanted)] * 3


@given(before=texts, inside=texts, after=texts)
def test_spans_agree_with_the_naive_version(before, inside, after):
    text = f"{before} {inside} {after}"
    wanted = naive_spans(text, inside) if naive_tokens(inside) else []
    assert AnswerMatcher([inside]).spans(text) == wanted


@pytest.mark.parametrize(
    ("answers", "text", "found"),
    [
        (["Beyoncé"], "She is Beyoncé.", ["Beyoncé"]),
        (["Beyoncé"], "É, Beyonce\u0301!", ["Beyonce\u0301"]),
        (["1,000"], "é: 1 , 000 people", ["1 , 000"]),
        (["one", "One two"], "one two one", ["one", "one two", "one"]),
        (["="], "a ≠ b", ["≠"]),
    ],
)
def test_spans_point_into_the_original_text(answers, text, found):
    assert [text[start:end] for start, end in AnswerMatcher(answers).spans(text)] == found


def test_regex_spans_point_into_the_original_text():
    text = "ééé 1936, naïve 1999"
    spans = AnswerMatcher([r"19\d\d", "na.?.?ve"], "regex").spans(text)
    assert [text[start:end] for start, end in spans] == ["1936", "naïve", "1999"]


def test_empty_matches_of_a_pattern_have_no_span():
    assert AnswerMatcher(["x*"], "regex").spans("axxb") == [(1, 3)]


def test_problems_are_counted():
    counts = Counter(other=1)
    AnswerMatcher(["", " ", "(", "ok"], "regex").count_problems(counts)
    AnswerMatcher(["fine"]).count_problems(counts)
    assert counts == {"other": 1, "empty_answers_dropped": 2, "invalid_patterns": 1}


@pytest.mark.parametrize("text", ["\ud800 Paris \udfff", "Paris\u200f\u202e", "\0Paris\0"])
def test_unusual_characters_are_tolerated(text):
    assert AnswerMatcher(["paris"]).found_in(text)
    assert AnswerMatcher(["par[iy]s"], "regex").found_in(text)

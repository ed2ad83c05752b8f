import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.text.same_text import TextSet, text_key, text_sketch


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who is the KING?", "who is king"),
        ("who 's the queen", "Who's queen?"),
        ("who’s queen", "who's the queen"),
        ("what  is\tAC/DC", "What is AC DC?"),
        (
            "¿Dónde está?",
            unicodedata.normalize("NFD", "donde esta").replace("o", "ó").replace("esta", "está"),
        ),
        ("full\uff1f width", "FULL WIDTH"),
        ("???", "???"),
    ],
)
def test_questions_with_the_same_words_are_equal(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("who is king", "who was king"),
        ("who won in 1990", "who won in 1991"),
        ("???", "!"),
        ("the", "a"),
        ("कि", "क"),
        ("東京", "京都"),
    ],
)
def test_questions_with_other_words_differ(one: str, other: str) -> None:
    assert text_key(one) != text_key(other)


@given(st.text(min_size=1))
def test_case_spaces_and_final_punctuation_are_ignored(text: str) -> None:
    key = text_key(f"who {text}")
    assert key == text_key(f"  Who\n{text} ?!")
    assert key


PIECES = st.sampled_from(
    [
        "a",
        "An",
        " the ",
        "Theatre",
        "ａ",
        "½",
        "é",
        "E\u0301",
        "東京",
        "İ",
        "ſ",
        "ß",
        "—",
        "“",
        "5",
        ".",
        " ",
        "\t",
        "nth",
        "x",
        "plumbing and piping, 1981",
    ]
)


@given(st.lists(PIECES).map("".join), st.lists(PIECES).map("".join))
def test_equal_texts_have_equal_sketches(one: str, other: str) -> None:
    for changed in (
        other,
        f"  {one.upper()} !",
        f"the {one}.",
        f"“{one}” —",
        unicodedata.normalize("NFD", one),
    ):
        assert text_key(one) != text_key(changed) or text_sketch(one) == text_sketch(changed)


def test_a_set_of_texts_contains_each_text_once() -> None:
    held = TextSet(["Uniforms save money", "ant", "東京"])
    assert held.find("the  uniforms save money.") == "Uniforms save money"
    assert held.add("Ant!") == "ant"
    assert held.add("京都") == "京都"
    assert [text in held for text in ("at", "the ant", "東京", "京都", "")] == [
        False,
        True,
        True,
        True,
        False,
    ]

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.text.same_question import question_key


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
def test_the_same_question(one: str, other: str) -> None:
    assert question_key(one) == question_key(other)


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
def test_other_questions(one: str, other: str) -> None:
    assert question_key(one) != question_key(other)


@given(st.text(min_size=1))
def test_case_spaces_and_marks_at_the_end_change_nothing(text: str) -> None:
    key = question_key(f"who {text}")
    assert key == question_key(f"  Who\n{text} ?!")
    assert key

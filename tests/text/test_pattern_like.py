import pytest

from densecli.text.pattern_like import is_pattern_like


@pytest.mark.parametrize(
    "answer",
    [r"19\d\d", "Oct(.|ober)? 10", "drug abuse|heart attack", "(New )?York", "Long.*Island", "colou?r blue",
     r"\$ 1", "[Tt]he Fall", "(?:a|b)"],
)  # fmt: skip
def test_patterns_are_recognized(answer):
    assert is_pattern_like(answer)


@pytest.mark.parametrize(
    "answer",
    ["1912", "St. Louis", "Who's Harry Crumb?", "200 $", "AC/DC", "Guns N' Roses (band)", "3.5",
     "$1,000", "C++", "M*A*S*H", "Jackie Brown (1997)", "", "U.S."],
)  # fmt: skip
def test_plain_text_is_not_taken_for_a_pattern(answer):
    assert not is_pattern_like(answer)

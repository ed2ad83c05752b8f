import time

import pytest

from densecli.text.pattern_answers import PatternAnswers

CATASTROPHIC = "(?:a|aa)+$"
TRAP = "a" * 60 + "b"


def test_a_catastrophic_pattern_is_abandoned_once():
    answers = PatternAnswers([CATASTROPHIC, "b"], seconds=0.05)
    begun = time.perf_counter()
    assert answers.found_in(TRAP)
    assert [answers.found_in(TRAP) for _ in range(50)] == [True] * 50
    assert time.perf_counter() - begun < 1
    assert answers.timed_out == 1
    assert len(answers) == 1


def test_spans_and_full_matches_have_the_same_time_limit():
    for ask in (PatternAnswers.places, PatternAnswers.match_whole):
        answers = PatternAnswers([CATASTROPHIC], seconds=0.05)
        assert not ask(answers, TRAP)
        assert answers.timed_out == 1


@pytest.mark.parametrize(
    "pattern", ["(open", "[", "*", "\\", r"\p{Nothing}", "a{1}{2}{", "(" * 5000 + ")" * 5000]
)
def test_patterns_that_do_not_compile_are_counted(pattern):
    answers = PatternAnswers([pattern, "fine"])
    assert answers.invalid + len(answers) == 2
    assert answers.found_in("Fine")


def test_a_pattern_must_match_the_whole_text():
    answers = PatternAnswers([r"19\d\d", "new york"])
    assert answers.match_whole("New York")
    assert answers.match_whole("1936")
    assert not answers.match_whole("in 1936")

import pytest

from densecli.errors import FieldError, InputError
from densecli.files.bad_records import STOP, BadRecords, reason_of


def broken(*records):
    """Records of a file that breaks after them."""
    yield from records
    raise InputError("x", 9, "cut off")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("no field 'text'", "no field 'text'"),
        ("broken JSON (unexpected end)", "broken JSON"),
        ("'text' holds a NUL character", "'text' holds a NUL character"),
        ("'my id' is list ['b']", "'my id' is list"),
        ("'ctxs' is not a list of objects", "'ctxs' is not a list of objects"),
        ("'score' is 'high'", "'score'"),
        ("question 'q9' is not among the questions", "question is not among the questions"),
        ('passage "p\'9" is not in the store', "passage is not in the store"),
        ("no list of answers: 'a cut-off repr", "no list of answers"),
        ("another number of columns (3)", "another number of columns"),
        ("(", "("),
        ("", ""),
    ],
)
def test_reasons_have_no_values(what, reason):
    assert reason_of(FieldError(what, "")) == reason


def test_the_first_ends_the_run():
    with pytest.raises(InputError, match="x:1: a"):
        STOP.refuse("a", InputError("x", 1, "a"))
    with pytest.raises(InputError, match="cut off"):
        list(STOP.usable("x", broken(1)))
    assert not STOP.counts


def test_all_are_counted_and_three_told():
    told = []
    bad = BadRecords(True, told.append)
    for number in range(1, 6):
        bad.refuse("a", InputError("x", number, "a"))
    bad.note("b", 2, ["not told"])
    assert bad.counts == {"skipped_a": 5, "skipped_b": 2}
    assert told == ["x:1: a", "x:2: a", "x:3: a"]


def test_of_many_passed_over_elsewhere_no_more_than_three_are_told():
    told = []
    bad = BadRecords(True, told.append)
    bad.refuse("a", InputError("x", 1, "a"))
    bad.note("b", 9, ["one", "two", "three"])
    assert told == ["x:1: a", "one", "two"]


@pytest.mark.parametrize(
    "value", ["plain", "it's", "both ' and \"", "a\\b", "['B']\nwho\t[\"C\"]", "ends in a quote'", "\\"]
)
@pytest.mark.parametrize("shown", ["{!r}", "{!r:.9}"])
def test_a_reason_is_the_same_whatever_the_value(value, shown):
    told = shown.format(value)
    assert reason_of(FieldError(f"no list of answers: {told}", "a list")) == "no list of answers"
    assert reason_of(FieldError(f"question id {told} again", "unique ids")).startswith("question id")


def test_what_comes_before_a_break_is_used():
    bad = BadRecords(True)
    assert list(bad.usable("x", broken(1, 2))) == [1, 2]
    assert bad.counts == {"skipped_rest of a broken file": 1}


def test_a_file_without_anything_to_use():
    bad = BadRecords(True)
    assert list(bad.usable("x", [])) == []
    with pytest.raises(InputError, match="x:9: cut off"):
        list(bad.usable("x", broken()))

    def nothing():
        bad.refuse("a", InputError("x", 1, "a"))
        yield from ()

    with pytest.raises(InputError, match=r"x: none of its 1 records can be used"):
        list(bad.usable("x", nothing()))

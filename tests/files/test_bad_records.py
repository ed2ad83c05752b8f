import pytest

from densecli.errors import InputError
from densecli.files.bad_records import STOP, BadRecords


def broken(*records):
    """Records of a file that breaks after them."""
    yield from records
    raise InputError("x", 9, "cut off")


def test_the_first_bad_record_stops_the_run():
    with pytest.raises(InputError, match="x:1: a"):
        STOP.refuse("a", InputError("x", 1, "a"))
    with pytest.raises(InputError, match="cut off"):
        list(STOP.usable("x", broken(1)))
    assert not STOP.counts


def test_all_bad_records_are_counted_and_three_are_shown():
    told = []
    bad = BadRecords(True, told.append)
    for number in range(1, 6):
        bad.refuse("a", InputError("x", number, "a"))
    bad.note("b", 2, ["not told"])
    assert bad.counts == {"skipped_a": 5, "skipped_b": 2}
    assert told == ["x:1: a", "x:2: a", "x:3: a"]


def test_at_most_three_bad_records_are_shown_in_total():
    told = []
    bad = BadRecords(True, told.append)
    bad.refuse("a", InputError("x", 1, "a"))
    bad.note("b", 9, ["one", "two", "three"])
    assert told == ["x:1: a", "one", "two"]


def test_records_before_a_broken_part_are_used():
    bad = BadRecords(True)
    assert list(bad.usable("x", broken(1, 2))) == [1, 2]
    assert bad.counts == {"skipped_rest_of_broken_file": 1}


def test_a_file_without_usable_records_is_refused():
    bad = BadRecords(True)
    assert list(bad.usable("x", [])) == []
    with pytest.raises(InputError, match="x:9: cut off"):
        list(bad.usable("x", broken()))

    def nothing():
        bad.refuse("a", InputError("x", 1, "a"))
        yield from ()

    with pytest.raises(InputError, match=r"x: none of its 1 records can be used"):
        list(bad.usable("x", nothing()))

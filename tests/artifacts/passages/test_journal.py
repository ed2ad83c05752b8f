from collections import Counter

import pytest

from densecli.artifacts.passages.journal import NAME, Journal, Progress

MOMENT = Progress(5, 9, Counter({"records": 5, "dropped_list": 2}), ("x:1: what",))


def test_progress_is_added_up():
    after = MOMENT.after(2, 3, Counter({"records": 2}), ["x:6: a", "x:7: b", "x:8: c"])
    assert after == Progress(
        7, 12, Counter({"records": 7, "dropped_list": 2}), ("x:1: what", "x:6: a", "x:7: b")
    )


def test_the_latest_progress_is_read_again(tmp_path):
    assert Journal(tmp_path, "plan").last is None
    journal = Journal(tmp_path, "plan")
    journal.note(Progress(1))
    journal.note(MOMENT)
    assert Journal(tmp_path, "plan").last == MOMENT
    assert Journal(tmp_path, "another plan").last is None
    journal.remove()
    assert Journal(tmp_path, "plan").last is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"plan": "pl',
        b"[]",
        b"{}",
        b'{"plan": "plan", "records": "five", "rows": 9, "counts": {}, "errors": []}',
        b'{"plan": "plan", "records": 5, "rows": -9, "counts": {}, "errors": []}',
        b'{"plan": "plan", "records": 5, "rows": 9, "counts": [], "errors": []}',
    ],
)
def test_a_damaged_journal_is_ignored(tmp_path, data):
    (tmp_path / NAME).write_bytes(data)
    assert Journal(tmp_path, "plan").last is None

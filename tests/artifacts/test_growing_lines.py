import json
from collections import Counter

import pytest

from densecli.artifacts.growing_lines import growing_lines


def grow(path, steps, plan="plan", fail=None):
    """Add the steps that are not there yet; return the records from which it went on."""
    with growing_lines(path, plan) as lines:
        begun = lines.done.records
        for number, rows in enumerate(steps):
            if number == fail:
                raise KeyboardInterrupt
            if number >= begun:
                lines.add(rows, number + 1, lines.done.counts + Counter(rows=len(rows)))
    return begun


STEPS = [[{"a": 1}, {"b": "é\n"}], [], [{"c": 3}]]


@pytest.mark.parametrize("fail", [1, 2])
def test_writing_resumes_after_the_last_complete_step(tmp_path, fail):
    whole = tmp_path / "whole" / "x.jsonl"
    whole.parent.mkdir()
    assert grow(whole, STEPS) == 0
    assert [json.loads(line) for line in whole.read_text().split("\n") if line] == [
        row for rows in STEPS for row in rows
    ]
    path = tmp_path / "x.jsonl"
    with pytest.raises(KeyboardInterrupt):
        grow(path, STEPS, fail=fail)
    with open(path, "ab") as stream:
        stream.write(b'{"half a li')  # of a step that was cut off
    assert grow(path, STEPS) == fail
    assert path.read_bytes() == whole.read_bytes()
    assert {one.name for one in tmp_path.iterdir()} == {"x.jsonl", "whole"}


def test_another_plan_starts_over(tmp_path):
    path = tmp_path / "x.jsonl"
    with pytest.raises(KeyboardInterrupt):
        grow(path, STEPS, fail=2)
    assert grow(path, [[{"z": 1}]], plan="other") == 0
    assert path.read_bytes() == b'{"z":1}\n'


def test_lost_lines_start_over(tmp_path):
    path = tmp_path / "x.jsonl"
    with pytest.raises(KeyboardInterrupt):
        grow(path, STEPS, fail=2)
    path.write_bytes(path.read_bytes()[:-3])
    assert grow(path, STEPS) == 0


def test_nothing_is_left_without_a_complete_step(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path / "x.jsonl", STEPS, fail=0)
    assert list(tmp_path.iterdir()) == []

"""One core, one thread, and two commands at once give what an idle machine gives."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.program import Ended, Program

COMMANDS = {
    "embed": ("embed", "--force", "-o", "again"),
    "search": ("search", "questions.jsonl", "--mode", "dense", "-k", 5),
    "read": ("read", "found.jsonl"),
}

# the tests themselves run with one thread each
ALL_CORES = {"OMP_NUM_THREADS": str(os.cpu_count())}


@contextmanager
def one_core() -> Iterator[None]:
    """Let this process, and those that it starts, run on one core."""
    if not hasattr(os, "sched_setaffinity"):  # macOS has no such call
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def result(place: Program, ended: Ended) -> object:
    """Return what a command wrote, without the scores of hits, whose last digits depend on the threads."""
    again = place.folder / "again"
    if again.exists():
        return [path.read_bytes() for path in sorted(again.rglob("*.npy"))]
    return [row["answer"] if "answer" in row else [hit["id"] for hit in row["ctxs"]] for row in ended.rows]


@pytest.mark.parametrize("command", COMMANDS)
def test_few_cores_change_no_result(prepared: Program, command: str) -> None:
    line = COMMANDS[command]
    expected = result(prepared, prepared.run(*line, **ALL_CORES).well())
    assert expected
    with one_core():
        assert result(prepared, prepared.run(*line, **ALL_CORES).well()) == expected
    assert result(prepared, prepared.run(*line, OMP_NUM_THREADS="1").well()) == expected


def test_two_searches_at_once_give_the_same_results(prepared: Program) -> None:
    line = COMMANDS["search"]
    expected = result(prepared, prepared.run(*line, **ALL_CORES).well())
    both = [prepared.start(*line, **ALL_CORES) for _ in range(2)]
    assert [result(prepared, one.wait().well()) for one in both] == [expected] * 2

"""One core, one thread, and two commands at once give what an idle machine gives."""

import os
import shutil
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


@pytest.mark.parametrize("command", COMMANDS)
def test_two_commands_at_once_give_the_same_results(prepared: Program, command: str) -> None:
    line = COMMANDS[command]
    expected = result(prepared, prepared.run(*line, **ALL_CORES).well())
    lines = [line, line]
    if command == "embed":
        lines = [("embed", "-o", name) for name in ("first", "second")]
    both = [one.wait().well() for one in [prepared.start(*line, **ALL_CORES) for line in lines]]
    if command == "embed":
        found = [
            [path.read_bytes() for path in sorted((prepared.folder / name).rglob("*.npy"))]
            for name in ("first", "second")
        ]
    else:
        found = [result(prepared, one) for one in both]
    assert found == [expected] * 2


def test_everything_works_without_openvino(prepared: Program) -> None:
    blocked = prepared.folder / "blocked"
    blocked.mkdir()
    # as where it is not installed: it is neither found nor imported
    (blocked / "sitecustomize.py").write_text("import sys\nsys.modules['openvino'] = None\n")
    for name, line in COMMANDS.items():
        ended = prepared.run(*line, PYTHONPATH=str(blocked)).well()
        assert result(prepared, ended), name
        shutil.rmtree(prepared.folder / "again", ignore_errors=True)
        refused = prepared.run(*line, "--engine", "openvino", PYTHONPATH=str(blocked))
        assert refused.status
        assert "pip install openvino" in refused.error


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_the_batch_size_changes_no_result(prepared: Program, mode: str) -> None:
    line = ("search", "questions.jsonl", "--mode", mode, "-k", 5)
    found = [prepared.call(*line, "--batch-size", size).well().rows for size in (1, 5, 64)]
    ids = [[(row["id"], [hit["id"] for hit in row["ctxs"]]) for row in rows] for rows in found]
    assert ids[0] == ids[1] == ids[2]

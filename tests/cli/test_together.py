"""Several processes train one model: the same as one would, told once, and all of them end."""

import json
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from cli.conftest import CITIES
from cli.program import PATIENCE, Program, until
from ranks import Meeting

LINE = ["train", "questions", "--dev", "questions", "--encoder", "base", "--batch-size", 5, "--epochs", 8,
        "--learning-rate", 1e-3, "--max-passage-tokens", 32, "--device", "cpu", "--force",
        "--save-every", 2]  # fmt: skip
STEPS = 16
ENDS_IN_SECONDS = 30.0
NO_EFFECT = ("key.bias", "layer.1.output.LayerNorm.bias")
"""Weights that change no score: their gradients are what rounding leaves, which Adam makes steps of."""


def start(program, *line, **environment):
    """Start a command in two processes."""
    meeting = Meeting(2)
    started = [
        program.start(*line, **meeting.environment(rank), **environment.get(f"rank_{rank}", {}))
        for rank in range(2)
    ]
    for one in started:
        one.meeting = meeting
    return started


def ended(started):
    return [one.wait() for one in started]


def told_once(runs, status):
    """Check how all ended, and that one told why; return what it told."""
    assert [run.status for run in runs] == [status, status], [run.stderr for run in runs]
    (teller,) = [run for run in runs if "error: " in run.stderr]
    return teller.error


def folder(program):
    return program.workspace / "retriever"


def partial(program, name):
    return program.workspace / ".retriever.partial" / "work" / name


def steps(program):
    metrics = partial(program, "metrics.jsonl")
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def rows(program):
    clock = {"questions_per_second", "memory"}
    lines = (folder(program) / "metrics.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in clock} for line in lines]


def weights(program):
    return {path.relative_to(folder(program)): path.read_bytes() for path in folder(program).rglob("*.safe*")}


def example(number, city):
    return {
        "question": f"who was born in {city}",
        "answers": [city],
        "positive_ctxs": [{"title": city, "text": f"the king of {city} wrote a song " * (1 + number % 3)}],
        "hard_negative_ctxs": [{"text": f"a sea and no {city}"}] * (number % 2),
    }


@pytest.fixture(scope="module")
def uninterrupted(tiny_place, tmp_path_factory):
    """What two processes come to when nothing happens to them."""
    own = tmp_path_factory.mktemp("two")
    shutil.copytree(tiny_place, own / "place")
    program = Program(own / "place", own)
    first, second = ended(start(program, *LINE))
    first.well()
    assert "best so far" in first.stderr
    assert (second.well().stdout, second.stderr) == ("", "")
    assert not program.leftovers()
    assert len(rows(program)) == STEPS
    return weights(program), rows(program)


def test_torchrun_gives_the_weights_of_one_process(prepared):
    """Batches of 5 on 2 processes; without dropout, since no two processes have the same."""
    given = prepared.write("given.jsonl", *(example(*pair) for pair in enumerate(CITIES)))
    exact = ["--dropout", 0, "--precision", "fp32"]
    line = ["train", given, "--dev", given, *LINE[4:], *exact, "--validate-by", "average-rank"]
    prepared.start(*line).wait().well()
    expected, ours = (
        rows(prepared),
        {place: load_file(folder(prepared) / place) for place in weights(prepared)},
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "densecli"]
    done = subprocess.run(
        [*torchrun, *map(str, line)], cwd=prepared.folder, env=prepared.environment(), capture_output=True,
        text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"epoch {STEPS // 2}: ") == 1
    assert not prepared.leftovers()
    for found, row in zip(rows(prepared), expected, strict=True):
        for name in ("loss", "gradient_norm"):
            assert found[name] == pytest.approx(row[name], rel=1e-4), name
        for name in ("step", "epoch", "accuracy", "learning_rate", "inputs", "best"):
            assert found[name] == row[name], name
        if row["validation"]:
            rank, theirs = (one["validation"].pop("average_rank") for one in (found, row))
            assert rank == pytest.approx(theirs, abs=1.01 / len(CITIES)), "rounding swaps at most one pair"
            assert found["validation"] == pytest.approx(row["validation"], rel=1e-4)
    for place, tensors in ours.items():
        theirs = load_file(folder(prepared) / place)
        for name in tensors:
            if not name.endswith(NO_EFFECT):
                np.testing.assert_allclose(theirs[name], tensors[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("victims", [(0, 1), (1,), (0,)])
def test_several_killed_processes_resume_to_the_same_weights(prepared, uninterrupted, victims):
    """Whoever is killed, no one waits for it, the checkpoint is good, and the end is the same."""
    started = start(prepared, *LINE)
    until(lambda: steps(prepared) >= 7)
    for victim in victims:
        started[victim].send(signal.SIGKILL)
    begun = time.monotonic()
    runs = ended(started)
    assert time.monotonic() - begun < ENDS_IN_SECONDS
    for rank, run in enumerate(runs):
        assert run.status == (-signal.SIGKILL if rank in victims else 5)
        if rank not in victims:
            assert run.error.startswith(
                "another process of this training ended before it was done; the last checkpoint"
            )
    assert json.loads(partial(prepared, "checkpoint/note.json").read_text())["progress"]["step"] >= 6
    first, _ = ended(start(prepared, *LINE))
    assert "resuming after update " in first.well().stderr
    assert "differ" not in first.stderr
    assert (weights(prepared), rows(prepared)) == uninterrupted
    assert not prepared.leftovers()


def test_ctrl_c_saves_once_and_ends_all_processes(prepared, uninterrupted):
    started = start(prepared, *LINE[:-1], 1000)
    until(lambda: steps(prepared) >= 5)
    for one in reversed(started):
        one.send(signal.SIGINT)
    runs = ended(started)
    assert told_once(runs, 130).startswith("interrupted; saved after update ")
    ended(start(prepared, *LINE[:-1], 1000))[0].well()
    assert (weights(prepared), rows(prepared)) == uninterrupted


def test_a_process_stopped_by_sigterm_does_not_wait_for_others(prepared):
    """As torchrun ends one that waits for a process that is lost, here since the beginning."""
    waiting = prepared.start(*LINE, **Meeting(2).environment(0))
    masks = Path(f"/proc/{waiting.pid}/status")
    until(lambda: re.search(r"SigBlk:.*4...$", masks.read_text(), re.MULTILINE))
    waiting.send(signal.SIGTERM)
    run = waiting.wait()
    assert (run.status, run.error.startswith("stopped by SIGTERM, as when another")) == (5, True)


def test_a_full_disk_is_reported_once(prepared):
    started = start(prepared, *LINE)
    until(lambda: steps(prepared) >= 3)
    _, hard = resource.prlimit(started[0].pid, resource.RLIMIT_FSIZE)
    resource.prlimit(started[0].pid, resource.RLIMIT_FSIZE, (60_000, hard))
    assert "no space left" in told_once(ended(started), 5)
    assert partial(prepared, "checkpoint/note.json").exists()


def test_different_inputs_of_processes_are_reported(prepared):
    """Were they to train on other examples, each would wait for updates that the other does not make."""
    runs = ended(start(prepared, *LINE, rank_1={"DENSECLI_EXAMPLES": "6"}))
    said = told_once(runs, 4)
    assert said.startswith(
        "the processes have different inputs or settings (examples was left to the default, now 6); start all"
    )
    assert runs[0].stderr.count("error") == 0


def test_an_error_in_all_processes_is_reported_once(prepared):
    prepared.write("bad.jsonl", {"question": "q", "positive_ctxs": "none"})
    said = told_once(ended(start(prepared, "train", "bad.jsonl", *LINE[4:])), 3)
    assert said.startswith("bad.jsonl:1: ")
    first, second = ended(start(prepared, "train", "--nothing"))
    assert (first.status, "No such option: --nothing" in first.error) == (2, True)
    assert (second.status, second.stderr) == (0, "")


def test_up_to_date_is_reported_once(prepared):
    line = ["train", "questions", *LINE[4:6], "--epochs", 1, "-o", "new", "--device", "cpu"]
    ended(start(prepared, *line))[0].well()
    runs = ended(start(prepared, *line))
    assert [run.status for run in runs] == [0, 0]
    assert [run.stderr.splitlines()[-1:] for run in runs] == [["new: up to date"], []]


def test_commands_for_one_process_refuse_torchrun(prepared):
    first, second = ended(start(prepared, "embed"))
    assert (first.status, first.error.startswith("embed is for one process, and torchrun ")) == (2, True)
    assert (second.status, second.stderr) == (0, "")
    runs = ended(start(prepared, "train", "-", *LINE[4:]))
    assert told_once(runs, 2) == "several processes can't read the same pipe; name files"
    lonely = prepared.start("train", *LINE[1:], RANK="0", WORLD_SIZE="2").wait()
    assert (lonely.status, "start several processes by `torchrun" in lonely.error) == (2, True)

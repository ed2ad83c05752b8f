"""A training that is killed, interrupted or out of disk goes on as if nothing had happened, bit for bit."""

import json
import random
import resource
import shutil
import signal
import time
from functools import partial

import pytest

from cli.program import Program, until
from cli.test_bad_places import files_of_at_most

SMALL = ("--encoder", "base", "--batch-size", 4, "--epochs", 8, "--learning-rate", 1e-3, "--device", "cpu")
COMMANDS = {
    "retriever": ["train", "questions", "--dev", "questions", *SMALL, "--validate-every", 2],
    "reader": ["train-reader", "found.jsonl", "--dev", "found.jsonl", *SMALL],
    "question": [
        "train", "questions", "--dev", "questions.jsonl", *SMALL[2:], "--encoder", ".densecli/retriever",
        "--fixed-passage-encoder", "--index-negatives", "all", "--max-positives", 2,
        "--validate-by", "search", "--validate-every", 2, "--max-passage-tokens", 64,
        "-o", ".densecli/question",
    ],
}  # fmt: skip
BOTH = ("retriever", "reader")
STEPS = 24
FORCE = ("--force", "--save-every", 2)
MEASURED = {"questions_per_second", "memory"}


class Training:
    """One training in the tiny place, and what becomes of it."""

    def __init__(self, program: Program, name: str) -> None:
        self.program = program
        self.line = [*COMMANDS[name], *FORCE]
        self.folder = program.workspace / name
        self.partial = program.workspace / f".{name}.partial" / "work"

    @property
    def steps(self) -> int:
        try:
            return (self.partial / "metrics.jsonl").read_bytes().count(b"\n")
        except FileNotFoundError:  # not begun, or the model has just been put in place
            return 0

    @property
    def saved(self) -> int:
        try:
            note = (self.partial / "checkpoint" / "note.json").read_text()
        except FileNotFoundError:  # not yet, or just being replaced
            return 0
        return json.loads(note)["progress"]["step"]

    def is_saving(self, place: str, begun: int, since: int) -> bool:
        """Whether it is just writing `place`, or has gone on so far that this was missed."""
        try:
            return (self.partial / place).stat().st_ctime_ns > since or self.saved > begun + 8
        except FileNotFoundError:
            return self.saved > begun + 8

    def kill(self, happened, number=signal.SIGKILL):
        """Begin or go on, and end the process when something has happened."""
        running = self.program.start(*self.line)
        until(happened)
        running.send(number)
        return running.wait()

    def outcome(self):
        """Return the digests of all files, and the metrics without what a clock measured."""
        found = {
            name: digest
            for name, digest in self.program.results().items()
            if name.startswith(self.folder.name) and not name.endswith(("manifest.json", "metrics.jsonl"))
        }
        rows = [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]
        told = json.loads((self.folder / "manifest.json").read_text())
        timeless = [{name: value for name, value in row.items() if name not in MEASURED} for row in rows]
        facts = {name: value for name, value in told["facts"].items() if name != "sets"}  # has paths
        return found, timeless, facts, told["counts"]


@pytest.fixture(scope="module")
def uninterrupted(tiny_place, tmp_path_factory):
    """What each training comes to when nothing happens to it."""
    own = tmp_path_factory.mktemp("whole")
    found = {}
    for name in COMMANDS:
        shutil.copytree(tiny_place, own / name / "place")
        program = Program(own / name / "place", own / name)
        training = Training(program, name)
        program.start(*training.line).wait().well()
        found[name] = training.outcome()
        assert len(found[name][1]) == STEPS
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_training_killed_anywhere_resumes_to_the_same_weights(prepared, uninterrupted, name, seed):
    training = Training(prepared, name)
    before = prepared.results()
    for point in sorted(random.Random(seed).sample(range(1, STEPS - 1), 3)):
        ended = training.kill(lambda: training.steps >= point)  # noqa: B023 - used at once
        assert ended.status == -signal.SIGKILL
        assert prepared.results() == before
    assert training.saved > 0
    ended = prepared.start(*training.line).wait().well()
    assert f"resuming after update {training_saved(ended)}" in ended.stderr
    assert training.outcome() == uninterrupted[name]
    assert not prepared.leftovers()


def training_saved(ended):
    return next(line.split()[-1] for line in ended.stderr.splitlines() if line.startswith("resuming"))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("retriever", ".checkpoint.partial"),
        ("retriever", ".best.partial"),
        ("retriever", ".checkpoint.partial/work/note.json"),
        ("reader", ".best.partial"),  # which alone is written otherwise
    ],
)
def test_a_training_killed_while_it_saves_resumes_to_the_same_weights(prepared, uninterrupted, name, place):
    training = Training(prepared, name)
    for _ in range(2):
        training.kill(partial(training.is_saving, place, training.saved, time.time_ns()))
    prepared.start(*training.line).wait().well()
    assert training.outcome() == uninterrupted[name]
    assert not prepared.leftovers()


@pytest.mark.parametrize("name", BOTH)
def test_ctrl_c_saves_after_the_update_and_explains_how_to_resume(prepared, uninterrupted, name):
    training = Training(prepared, name)
    training.line[-1] = 1000
    ended = training.kill(lambda: training.steps >= 5, signal.SIGINT)
    assert ended.status == 130
    saved = f"interrupted; saved after update {training.saved:,}: start the same training again to resume"
    assert ended.error == saved
    assert training.saved == training.steps >= 5
    again = prepared.start(*training.line).wait().well()
    assert f"resuming after update {training_saved(again)}" in again.stderr
    assert training.outcome() == uninterrupted[name]


@pytest.mark.parametrize("name", BOTH)
def test_a_full_disk_keeps_the_previous_checkpoint(prepared, uninterrupted, name):
    training = Training(prepared, name)
    training.kill(lambda: training.saved >= 6)
    saved = training.saved
    with files_of_at_most(60_000):
        ended = prepared.call(*training.line)
    assert (ended.status, "no space left" in ended.error) == (5, True)
    assert training.saved == saved
    assert not list(training.partial.glob(".*"))
    prepared.start(*training.line).wait().well()
    assert training.outcome() == uninterrupted[name]


@pytest.mark.parametrize("name", BOTH)
def test_another_training_is_not_resumed(prepared, name):
    training = Training(prepared, name)
    training.kill(lambda: training.saved >= 2)
    kept = training.saved
    line = [word for word in training.line if word != "--force"]
    other = prepared.call(*line, "--dropout", 0.2, "-o", training.folder.with_name("elsewhere"))
    assert other.status == 0, "another place has nothing to do with it"
    target = training.folder
    rest = target.with_name("away")
    target.rename(rest)
    ended = prepared.call(*line, "--dropout", 0.2)
    assert ended.status == 4
    assert "(dropout was 0.1, now 0.2); use the same ones to resume" in ended.error
    (prepared.folder / "found.jsonl").write_text((prepared.folder / "found.jsonl").read_text().upper())
    examples = prepared.workspace / "examples" / "questions" / "examples.jsonl"
    examples.write_text(examples.read_text().replace("king", "duke"))
    ended = prepared.call(*line)
    assert (ended.status, "its input was " in ended.error) == (4, True)
    assert training.saved == kept
    short = [1 if word == 8 else word for word in COMMANDS[name]]
    ended = prepared.call(*short, "--dropout", 0.2, "--force")
    if name == "retriever":
        assert "resuming" not in ended.well().stderr
        assert not training.partial.exists()


@pytest.mark.parametrize(
    "line",
    [
        ["train-reader", "-", *SMALL],
        ["convert", "base", "--to", "retriever", "-o", ".densecli/reader"],
    ],
)
def test_no_command_removes_an_interrupted_training(prepared, line):
    training = Training(prepared, "reader")
    training.kill(lambda: training.saved >= 2)
    kept = prepared.workspace / "kept"
    training.folder.rename(kept)
    rows = (prepared.folder / "found.jsonl").read_text()
    ended = prepared.call(*line, stdin=rows)
    assert (ended.status, "an interrupted training" in ended.error) == (4, True)
    assert "--force" in ended.error
    assert training.saved >= 2
    prepared.call(*line, "--force", stdin=rows).well()
    assert training.saved == 0


def test_a_training_from_a_pipe_is_not_resumed(prepared):
    line = ["train-reader", "-", *SMALL, "--force", "--save-every", 1]
    rows = (prepared.folder / "found.jsonl").read_text()
    with files_of_at_most(60_000):
        assert prepared.call(*line, stdin=rows).status == 5
    assert not prepared.leftovers()


def test_ctrl_c_does_not_offer_to_resume_a_pipe(prepared):
    training = Training(prepared, "reader")
    training.line[1] = "-"
    running = prepared.start(*training.line, stdin=prepared.folder / "found.jsonl")
    until(lambda: training.steps >= 2)
    running.send(signal.SIGINT)
    ended = running.wait()
    assert (ended.status, "nothing is saved, because a pipe" in ended.stderr) == (130, True)
    assert not prepared.leftovers()


def test_a_training_that_was_never_saved_leaves_nothing(prepared):
    training = Training(prepared, "retriever")
    training.line[-1] = 1000
    with files_of_at_most(2_000):
        assert prepared.call(*training.line).status == 5
    assert not prepared.leftovers()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY

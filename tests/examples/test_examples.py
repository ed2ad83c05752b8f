"""The scripts of examples/ run as they stand, on the small inputs beside them."""

import json
import subprocess
from pathlib import Path

import pytest

from densecli.records import Question
from densecli.text.answers import AnswerMatcher

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def tiny_env(shell_env: dict[str, str], tiny_base: Path) -> dict[str, str]:
    """The same, training a tiny encoder instead of the starter (which the README's test trains)."""
    return shell_env | {"ENCODER": str(tiny_base)}


def run(script: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["sh", str(EXAMPLES / script)], cwd=folder, env=env, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("part", ["train", "test"])
def test_each_answer_is_in_exactly_one_note(part: str) -> None:
    notes = [path.read_text() for path in (EXAMPLES / "notes").iterdir()]
    rows = [json.loads(line) for line in (EXAMPLES / f"notes-{part}.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows, 1):
        question = Question.from_json(row, str(number))
        matcher = AnswerMatcher(question.answers, question.answer_type)
        assert any(matcher.found_in(note) for note in notes), question


def test_the_own_files_script_runs(tmp_path: Path, tiny_env: dict[str, str]) -> None:
    done = run("own-files.sh", tmp_path, tiny_env)
    assert "EM" in done.stdout
    made = {path.name for path in (tmp_path / ".densecli").iterdir()}
    assert {"passages", "bm25", "examples", "retriever", "vectors", "index"} <= made


def test_the_own_questions_script_runs(tmp_path: Path, tiny_env: dict[str, str]) -> None:
    table = run("own-questions.sh", tmp_path, tiny_env).stdout
    assert all(name in table for name in ("BM25", "starter", "trained", "top-1"))


def test_the_pipes_script_runs(tmp_path: Path, shell_env: dict[str, str]) -> None:
    first = json.loads(run("pipes.sh", tmp_path, shell_env).stdout.splitlines()[0])
    assert first["questions"] == 8
    assert first["exact_match"] is not None
    assert len((tmp_path / "both.jsonl").read_text().splitlines()) == 2

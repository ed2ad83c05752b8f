"""The examples of docs/evaluate.md run, in their order, in a copy of the sample's workspace."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import densecli
from cli.program import Program

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
COMMANDS = [line[2:] for line in PAGE.splitlines() if line.startswith("$ ")]
SAMPLE = Path(densecli.__file__).parent / "sample"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "place").mkdir()
    shutil.copytree(SAMPLE / "workspace", tmp_path / "place" / ".densecli")
    shutil.copy(SAMPLE / "questions.dev.jsonl", tmp_path / "place" / "questions.jsonl")
    program = Program(tmp_path / "place", tmp_path)
    yield program
    program.stop()


def keep_first(path: Path, count: int) -> None:
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:count]))


def words_of(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines()]


def numbers(words: list[str]) -> list[float]:
    return [float(one) for word in words[1:] for one in re.findall(r"[\d.]+", word)]


def test_the_examples_run_and_print_what_the_page_says(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(COMMANDS) == 14
    ended = {}
    for command in COMMANDS:
        words = shlex.split(command)
        assert words.pop(0) == "densecli"
        # a test's own stdin is no terminal and not empty, so this one needs a process of its own
        run = program.run if "--questions" in words else program.call
        if command == COMMANDS[-1]:  # which searches them one at a time too
            keep_first(program.folder / "questions.jsonl", 20)
        ended[command] = run(*words).well()
    table = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert table is not None
    shown = ended[COMMANDS[2]].stdout
    assert words_of(shown)[:3] == words_of(table[1])[:3]
    # the dense side: another engine or processor may order a few passages in another way
    for ours, theirs in zip(words_of(shown)[3:], words_of(table[1])[3:], strict=True):
        assert ours[0] == theirs[0]
        assert numbers(ours) == pytest.approx(numbers(theirs), abs=4)
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    (program.folder / "report.html").unlink()
    monkeypatch.chdir(program.folder)
    exec(compile(code[1], "docs/evaluate.md", "exec"), {"__name__": "example"})
    assert re.match(
        r"dense top-1 -?\d+\.\d (True|False)\ndense top-20 \d+\.\d True\n", capsys.readouterr().out
    )
    [row] = [json.loads(line) for line in ended[COMMANDS[5]].stdout.splitlines()]
    assert list(row["measures"]) == ["nDCG@10", "RR@10"]
    assert ended[COMMANDS[7]].stdout.startswith("| results | questions | top-1 |")
    for name, begins in (("table.tex", r"\begin{tabular}"), ("table.csv", "results,"), ("curve.svg", "<svg")):
        assert (program.folder / name).read_text().startswith(begins)
    assert "</html>" in (program.folder / "report.html").read_text()
    assert "search in all" in ended[COMMANDS[-1]].stdout

"""Which libraries each command loads: the reason why it starts fast, checked without a clock."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from densecli.cli.commands import SUMMARIES
from densecli.cli.main import app

WATCHED = {
    "bm25s", "datasets", "faiss", "huggingface_hub", "numpy", "onnx", "onnxruntime", "openvino", "pandas",
    "pyarrow", "rich", "tokenizers", "torch", "transformers",
}  # fmt: skip
COMMANDS = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
PROBE = """
import sys
place = sys.argv.pop(1)
try:
    from densecli.cli.main import main
    main()
finally:
    open(place, "w").write("\\n".join(sys.modules))
"""


def loaded(folder: Path, *arguments: str, stdin: str = "") -> set[str]:
    """Run a command in `folder`; return the watched libraries that it loaded."""
    place = folder / "modules.txt"
    command = [sys.executable, "-c", PROBE, str(place), *arguments]
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True, env=plain())
    assert done.returncode == 0, done.stderr
    return WATCHED & set(place.read_text().splitlines())


def plain() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("DENSECLI_")}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two articles, made into passages and BM25."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "notes").mkdir()
    (folder / "notes" / "ulm.txt").write_text("Einstein was born in Ulm.")
    (folder / "notes" / "sea.txt").write_text("The Irish Sea lies between England and Ireland.")
    (folder / "questions.jsonl").write_text('{"question": "where was einstein born", "answers": ["Ulm"]}\n')
    return folder


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(tmp_path: Path, command: str) -> None:
    assert loaded(tmp_path, *command.split(), "--help") == set()


def test_the_list_of_commands_imports_none_of_them(tmp_path: Path) -> None:
    place = tmp_path / "modules.txt"
    subprocess.run([sys.executable, "-c", PROBE, str(place), "--help"], env=plain(), check=True)
    modules = set(place.read_text().splitlines())
    assert "densecli.cli.main" in modules
    assert not modules & {f"densecli.cli.{name.replace('-', '_')}" for name in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_summarized_as_its_help_begins(command: str) -> None:
    text = typer.main.get_command(app).commands[command].help  # type: ignore[attr-defined]
    assert text.startswith(SUMMARIES[command].rstrip("."))


def test_version_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, "--version") == set()


def test_bm25_loads_no_model_library(workspace: Path) -> None:
    stages = {
        ("preprocess", "notes"): {"pyarrow", "numpy"},
        ("index", "--kind", "bm25"): {"pyarrow", "numpy"},
        ("mine-negatives", "questions.jsonl"): {"pyarrow", "numpy"},
        ("search", "where was einstein born", "--mode", "bm25"): {"pyarrow", "numpy"},
    }
    assert {stage: loaded(workspace, *stage) for stage in stages} == stages


def test_hybrid_search_runs_on_the_compiled_tower(tmp_path: Path) -> None:
    found = loaded(tmp_path, "search", "who voiced Meg")
    assert found == {"faiss", "numpy", "onnxruntime", "pyarrow", "tokenizers"}


def test_a_checkpoint_is_converted_without_torch(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden"
    shutil.copytree(golden / "tiny-vocab", tmp_path / "base")
    observed = json.loads((golden / "checkpoint.json").read_text())["forward"]
    (tmp_path / "base" / "config.json").write_text(json.dumps(observed["bert_config"]))
    checkpoint = str(golden / "tiny_biencoder.v1.cp")
    found = loaded(tmp_path, "convert", checkpoint, "--to", "retriever", "--base", "base", "-o", "model")
    assert not found & {"torch", "transformers"}


def test_reading_runs_on_the_compiled_tower(tmp_path: Path) -> None:
    found = loaded(tmp_path, "read", "who voiced Meg")
    assert found == {"faiss", "numpy", "onnxruntime", "pyarrow", "tokenizers"}


def test_evaluation_needs_no_model(tmp_path: Path) -> None:
    found = '[{"id": "p", "score": 1, "has_answer": true}]'
    row = f'{{"id": "1", "question": "q", "answers": ["a"], "ctxs": {found}}}\n'
    assert loaded(tmp_path, "evaluate", "-", stdin=row) <= {"numpy"}

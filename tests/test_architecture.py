"""The rules of the house, beyond those that import-linter states in pyproject.toml."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePath

import pytest

from densecli.configs.file import CONFIGS

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "densecli"
FILES = sorted(SOURCE.rglob("*.py"))
COMMAND_LINES = 120
OPTIONAL = {"ir_measures", "matplotlib"}
LINES = 500  # one subject a file: longer than this is two

HOMES = {
    "torch": ("training/*", "*/torch_*"),
    "transformers": ("training/*", "*/torch_*"),
    "faiss": ("dense/*",),
    "onnxruntime": ("encoders/onnx_*",),
    "openvino": ("encoders/openvino_*",),
    "datasets": ("registry/hub.py",),
    "httpx2": ("registry/download.py", "files/remote.py"),
    "ir_measures": ("evaluation/qrels_measures.py",),
    "matplotlib": ("report/accuracy_png.py",),
    "typer": ("cli/*",),
    "rich": ("cli/*",),
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


@cache
def imported_by(path: Path) -> frozenset[str]:
    return frozenset(imports(parsed(path)))


def test_imports_point_down() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", HOMES)
def test_each_library_is_imported_only_in_its_rooms(library: str) -> None:
    users = [
        path.relative_to(SOURCE).as_posix()
        for path in FILES
        if any(name.split(".")[0] == library for name in imported_by(path))
    ]
    strangers = [user for user in users if not any(PurePath(user).match(home) for home in HOMES[library])]
    assert not strangers


def test_only_tests_of_the_command_line_import_it() -> None:
    """The rest of the tests, and the benchmarks, use the library."""
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    others = [path for path in files if path.relative_to(ROOT).parts[:2] != ("tests", "cli")]
    users = [
        path.name for path in others if any(name.startswith("densecli.cli") for name in imported_by(path))
    ]
    assert set(users) <= {"started.py"}  # which turns into the program


def test_command_modules_are_short() -> None:
    """Each parses, makes one call and shows the result."""
    commands = [SOURCE / "cli" / f"{name.replace('-', '_')}.py" for name in CONFIGS]
    assert not {path.name for path in commands if path.read_text().count("\n") > COMMAND_LINES}


def test_only_allowed_modules_import_inside_functions() -> None:
    """A command imports its workflow late; a workflow the libraries that only one of its branches needs.

    What need not be installed is imported late everywhere.
    """
    late = [
        f"{path.relative_to(SOURCE)}:{inner.lineno}"
        for path in FILES
        if path.relative_to(SOURCE).parts[0] not in ("cli", "workflows", "__main__.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        if next(imports(inner)).split(".")[0] not in OPTIONAL
    ]
    assert not late


def test_there_is_one_program_and_no_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"densecli": "densecli.__main__:main"}
    assert not {"entry-points", "gui-scripts"} & set(project)
    for path in FILES:
        assert "entry_points" not in path.read_text(), path


def test_no_file_is_too_long() -> None:
    long = {path.name: lines for path in FILES if (lines := path.read_text().count("\n")) > LINES}
    assert not long


def test_no_file_contains_a_path_of_a_machine() -> None:
    """Nothing that ships names a folder of the machine where it was made."""
    shipped = [
        path for path in SOURCE.rglob("*") if path.suffix in {".py", ".json", ".md"} and path.is_file()
    ]
    strangers = [path.name for path in shipped if str(ROOT).encode() + b"/" in path.read_bytes()]
    assert not strangers

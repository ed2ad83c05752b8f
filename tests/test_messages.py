"""What the library says names settings, as Python code does; only cli knows options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "densecli"
FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path.relative_to(SOURCE).parts[0] != "cli"]
OPTION = re.compile(r"(?<![\w-])--[a-z{]")
COMMAND = re.compile(r"`(densecli|pip|\{\}) [^`]*`|^densecli .*|^\{\} --force$")


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each string; docstrings, short options and parts of f-strings are none."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "short"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_messages_below_the_command_line_name_no_option(path: Path) -> None:
    """But for commands to type, such as `densecli embed --force`."""
    found = [
        f"{line}: {text}"
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if OPTION.search(COMMAND.sub("", text))
    ]
    assert not found

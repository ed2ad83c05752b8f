"""The examples of docs/python.md run, in their order, and print what the page says."""

import contextlib
import io
import re
import shutil
from pathlib import Path

import pytest

import densecli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def test_the_examples_run_and_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(ROOT / "examples", tmp_path / "examples"))
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) == 10
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "docs/python.md", "exec"), {"__name__": "example"})
        if expected:
            assert printed.getvalue() == expected


def test_each_public_name_can_be_imported() -> None:
    for name in densecli.__all__:
        assert getattr(densecli, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = densecli.nothing

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_ran(): pass

@pytest.mark.skip(reason="not today")
def test_lazy(): pass

@pytest.mark.skip(reason="no GPU here")
def test_device(): pass

@pytest.mark.xfail
def test_known(): assert False
"""


def closing_line(folder: Path, ci: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "skips", "-p", "no:cacheprovider", "-q", str(folder)]
    env = os.environ | {"CI": ci, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run(command, env=env, capture_output=True, text=True).stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("", "1 passed, 2 skipped, 1 xfailed"), ("true", "1 passed, 1 skipped, 1 xfailed, 1 error")],
)
def test_a_skip_without_an_allowed_reason_fails_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    assert closing_line(tmp_path, ci).startswith(outcome)


def test_a_skipped_file_without_an_allowed_reason_fails_in_ci(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text("import pytest\npytest.importorskip('nowhere_to_be_found')\n")
    assert closing_line(tmp_path, "true").startswith("1 error")

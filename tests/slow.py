"""Which tests `just test-fast` leaves out: those that train, start the program, or run for long."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SLOW = (
    "cli",
    "docs/test_python.py",
    "docs/test_readme.py",
    "examples",
    "fuzz",
    "sample",
    "scripts",
    "training",
    "workflows",
)
"""Folders and files of tests, relative to this one."""


def is_slow(path: Path) -> bool:
    """Whether a file of tests is one of the slow ones."""
    place = path.relative_to(TESTS).as_posix()
    return any(place == name or place.startswith(f"{name}/") for name in SLOW)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests."""
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)

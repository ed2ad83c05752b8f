"""An observer that keeps what it receives."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import pytest

from densecli.observer import Observer

T = TypeVar("T")


class Recorder(Observer):
    """Keeps messages, warnings and the names of the work that made progress."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.warnings: list[str] = []
        self.work: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def progress(
        self,
        items: Iterable[T],
        what: str,
        total: int | None = None,
        unit: str = "",
        note: Callable[[T], str] = lambda _: "",
        done: Callable[[T], int] | None = None,
        start: int = 0,
    ) -> Iterator[T]:
        self.work.append(what)
        return iter(items)


@pytest.fixture
def observer() -> Recorder:
    return Recorder()


@pytest.fixture
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Check at the end that nothing was printed."""
    yield
    assert capfd.readouterr() == ("", "")

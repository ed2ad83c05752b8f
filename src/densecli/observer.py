"""How long work reports: messages, warnings, progress and transfers. The default is silent."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Observer:
    """Receives what a function of densecli reports while it works.

    This class ignores everything. Subclass it and override what you need: the command line shows progress
    bars, a server may write logs, a notebook may draw a widget.
    """

    def message(self, text: str) -> None:
        """Receive one line of information."""

    def warning(self, text: str) -> None:
        """Receive one line about something that the user should check."""

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
        """Pass items on unchanged while the work on them is reported.

        Args:
            items: what to pass on.
            what: name of the work, such as `embed`.
            total: amount of work, if it is known.
            unit: what is counted, with a trailing space, such as `"passages "`.
            note: returns a short text about an item.
            done: returns the amount of work that is done with an item; by default each item counts as one.
            start: amount of work that was done before the first item.
        """
        return iter(items)

    @contextmanager
    def transfer(self, what: str) -> Iterator[Callable[[int, int | None], None]]:
        """Report a download: yields a function to call with the bytes received and the bytes in all."""
        yield lambda received, total: None


SILENT = Observer()
"""Ignores everything: the default of every function that takes an observer."""

"""The one object that talks to people: progress and talk on stderr, tables on stdout."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from densecli.observer import Observer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")
HEARTBEAT_SECONDS = 30.0


class Terminal(Observer):
    """Where a command speaks. `quiet` leaves only errors; rich is loaded when first needed."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose

    @property
    def shows_tables(self) -> bool:
        """Whether stdout is a terminal, so that people, not programs, read it."""
        return sys.stdout.isatty()

    @property
    def can_ask(self) -> bool:
        """Whether a person sits at stdin."""
        return sys.stdin is not None and sys.stdin.isatty()

    def message(self, text: str) -> None:
        """Print one line."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def warning(self, text: str) -> None:
        """Print one line about something that the user should check."""
        self.message(f"warning: {text}")

    def error(self, text: str) -> None:
        """Tell what failed, in one line; this is never silenced."""
        print("error:", " ".join(text.splitlines()), file=sys.stderr)

    def ask(self, prompt: str) -> str:
        """Return a line that a person types.

        Raises:
            EOFError: there is no more.
        """
        if sys.stdout.isatty():
            return input(f"{prompt}> ").strip()
        print(f"{prompt}> ", end="", file=sys.stderr, flush=True)
        return input().strip()

    def console(self, stderr: bool = False) -> "Console":
        """Return a rich console on stdout (or stderr); NO_COLOR is honoured by rich."""
        from rich.console import Console

        width = int(os.environ["COLUMNS"]) if os.environ.get("COLUMNS", "").isdigit() else None
        return Console(stderr=stderr, width=width, highlight=False)

    def show(self, *parts: "RenderableType") -> None:
        """Print tables and styled text to stdout."""
        console = self.console()
        for part in parts:
            console.print(part)

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
        """Pass items through with a progress bar (a line every half minute where stderr is no
        terminal, nothing when quiet).

        Args:
            items: what to pass through.
            what: is being done.
            total: of `unit`, where it is known.
            unit: of what is counted, with a space behind it.
            note: tells of each item what is worth seeing.
            done: how much of the total is done with an item; by default each item is one.
            start: how much was done before the first.
        """
        if self.quiet:
            return iter(items)
        counted = _counted(items, done, start)
        if sys.stderr.isatty():
            return self._bar(counted, what, total, note)
        return self._heartbeat(counted, what, total, unit, note)

    def _bar(
        self, items: Iterable[tuple[T, int, float]], what: str, total: int | None, note: Callable[[T], str]
    ) -> Iterator[T]:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} {task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=total, rate="", note="")
            for item, done, rate in items:
                progress.update(task, completed=done, rate=f"{rate:,.1f}/s", note=note(item))
                yield item

    def _heartbeat(
        self,
        items: Iterable[tuple[T, int, float]],
        what: str,
        total: int | None,
        unit: str,
        note: Callable[[T], str],
    ) -> Iterator[T]:
        spoken = time.monotonic()
        for item, done, rate in items:
            yield item
            now = time.monotonic()
            if now - spoken >= HEARTBEAT_SECONDS:
                spoken = now
                of = f" of {total:,}" if total else ""
                left = f", {timedelta(seconds=round((total - done) / rate))} left" if total and rate else ""
                self.message(f"{what}: {done:,}{of} {unit}({rate:,.1f}/s{left}) {note(item)}".rstrip())

    @contextmanager
    def transfer(self, what: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a download; yields what to call with the bytes that came, and with those of the whole."""
        if self.quiet:
            yield lambda came, whole: None
        elif sys.stderr.isatty():
            with self._bytes_bar(what) as show:
                yield show
        else:
            self.message(f"fetching {what}")
            yield self._bytes_heartbeat(what)

    @contextmanager
    def _bytes_bar(self, what: str) -> Iterator[Callable[[int, int | None], None]]:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        text = TextColumn("{task.description}")
        columns = (text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda came, whole: progress.update(task, completed=came, total=whole)

    def _bytes_heartbeat(self, what: str) -> Callable[[int, int | None], None]:
        spoken = time.monotonic()

        def show(came: int, whole: int | None) -> None:
            nonlocal spoken
            if time.monotonic() - spoken >= HEARTBEAT_SECONDS:
                spoken = time.monotonic()
                of = f" of {whole / 1e6:,.0f}" if whole else ""
                self.message(f"{what}: {came / 1e6:,.0f}{of} MB")

        return show


def _counted(
    items: Iterable[T], done: Callable[[T], int] | None, start: int
) -> Iterator[tuple[T, int, float]]:
    """Yield each item with what is done with it, and how much a second."""
    begun = time.monotonic()
    for number, item in enumerate(items, start + 1):
        reached = number if done is None else done(item)
        yield item, reached, (reached - start) / max(time.monotonic() - begun, 1e-9)


def plain_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> "RenderableType":
    """Return a table with the first column on the left and numbers on the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table

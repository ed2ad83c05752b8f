"""The one object that talks to people: progress and talk on stderr, tables on stdout."""

import itertools
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeVar, cast

from densecli.cli.setting_names import name_options
from densecli.observer import Observer
from densecli.report.text_table import TextTable
from densecli.text.foreign_text import TerminalData, escape

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.status import Status

T = TypeVar("T")
HEARTBEAT_SECONDS = 10.0
WIDEST = 1000
NAME_WIDTH = 12
"""Columns that a name keeps in a table that is too wide; longer ones continue in the next line."""
PADDING = re.compile(r" +$", re.MULTILINE)


class Terminal(Observer):
    """Where a command speaks. `quiet` leaves only errors; rich is loaded when first needed."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._status: Status | None = None

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
            self._end_status()
            _tell(f"{escape(name_options(text))}\n")

    def warning(self, text: str) -> None:
        """Print one line about something that the user should check."""
        self.message(f"warning: {text}")

    def error(self, text: str) -> None:
        """Tell what failed, in one line; this is never silenced."""
        self._end_status()
        _tell(f"error: {escape(name_options(' '.join(text.splitlines())))}\n")

    def traceback(self, error: BaseException) -> None:
        """Tell where an error came from, line by line."""
        from traceback import format_exception

        for line in "".join(format_exception(error)).splitlines():
            _tell(f"{escape(line)}\n")

    def ask(self, prompt: str) -> str:
        """Return a line that a person types.

        Raises:
            EOFError: there is no more.
        """
        if sys.stdout.isatty():
            return input(f"{prompt}> ").strip()
        _tell(f"{prompt}> ")
        return input().strip()

    def console(self, stderr: bool = False) -> "Console":
        """Return a rich console on stdout (or stderr), which takes no text for markup.

        With NO_COLOR it has no styles at all: rich itself leaves bold and underlines.
        """
        from rich.console import Console

        return Console(
            stderr=stderr,
            markup=False,
            emoji=False,
            highlight=False,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
        )

    def show(self, *parts: "RenderableType", stderr: bool = False) -> None:
        """Print tables and styled text to stdout (or stderr), a table as wide as it needs to be."""
        from rich.table import Table

        self._end_status()
        console = self.console(stderr)
        needed = [part.min_width or 0 for part in parts if isinstance(part, Table)]
        console.width = max([console.width, *needed])
        with console.capture() as captured:
            for part in parts:
                console.print(part)
        text = PADDING.sub("", captured.get())
        if stderr:
            _tell(text)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()

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
        """Pass items through with a progress bar (a line every ten seconds where stderr is no
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
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} {task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console(stderr=True), transient=True) as progress:
            task = progress.add_task(escape(what), total=total, rate="", note="")
            for item, done, rate in items:
                progress.update(task, completed=done, rate=f"{rate:,.1f}/s", note=escape(note(item)))
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
    def waiting(self, what: str) -> Iterator[None]:
        """Show a person that something is being done, until the end or the first output."""
        if not self.quiet and sys.stderr.isatty():
            self._status = self.console(stderr=True).status(escape(what))
            self._status.start()
        try:
            yield
        finally:
            self._end_status()

    def watched(self, items: Iterator[T], what: str) -> Iterator[T]:
        """Pass answers on that take seconds each: a person sees the number of the question that is read."""
        if not sys.stderr.isatty():
            yield from self.progress(items, what, unit="questions ")
            return
        for number in itertools.count(1):
            with self.waiting(f"{what}: question {number:,}"):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

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

        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console(stderr=True), transient=True) as progress:
            task = progress.add_task(escape(what), total=None)
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


def plain_table(table: TextTable) -> "RenderableType":
    """Return a table with the first column on the left and numbers, which are never cut, on the right.

    A setting in the first column, in backticks, becomes its option.
    """
    from rich.cells import cell_len
    from rich.table import Table

    header = table.header
    cells = [[escape(cell) for cell in (name_options(first), *others)] for first, *others in table.rows]
    widths = [max(map(cell_len, column)) for column in zip(header, *cells, strict=True)]
    widths[0] = min(widths[0], NAME_WIDTH)
    view = Table(box=None, pad_edge=False, header_style="bold", min_width=sum(widths) + 2 * len(widths) - 2)
    view.add_column(header[0], overflow="fold", min_width=widths[0])
    for name, width in zip(header[1:], widths[1:], strict=True):
        view.add_column(name, justify="right", no_wrap=True, min_width=width)
    for row in cells:
        view.add_row(*row)
    return view


def data_stream() -> BinaryIO:
    """Return stdout for data: bytes as they are, or on a terminal what it can show."""
    if not sys.stdout.isatty():
        return sys.stdout.buffer
    return cast(BinaryIO, TerminalData(sys.stdout.buffer, sys.stdout.encoding))


def flushed(records: Iterable[T], stream: BinaryIO) -> Iterator[T]:
    """Pass records on; before the next one is waited for, what was written of it to stdout is sent."""
    at_once = stream is sys.stdout.buffer or isinstance(stream, TerminalData)
    for record in records:
        yield record
        if at_once:
            stream.flush()


def prepare_streams() -> None:
    """Make the standard streams, and what libraries take for the terminal's size, safe to use.

    What the caller closed (`2>&-`) is opened, or the next file opened would become standard error. What the
    encoding lacks is replaced.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - open as long as the program runs
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        cast(TextIOWrapper, stream).reconfigure(errors=errors)
    for name in ("COLUMNS", "LINES"):
        size = os.environ.get(name, "")
        if not (size.isascii() and size.isdigit() and 0 < int(size) <= WIDEST):
            os.environ.pop(name, None)


def _tell(text: str) -> None:
    """Write to stderr. One that cannot be written (a full disk, a pipe that nobody reads) does not end the
    work."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Send to nowhere what a stream still holds and will get: Python flushes it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

"""The one object that talks to people: progress and talk on stderr, tables on stdout."""

import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeVar, cast

from densecli.cli.setting_names import name_options
from densecli.observer import LineObserver, measure_rate
from densecli.text.foreign_text import TerminalData, escape

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, ProgressColumn
    from rich.status import Status
    from rich.table import Table

    from densecli.report.text_table import TextTable

T = TypeVar("T")
WIDEST = 1000
NAME_WIDTH = 12
"""Columns that a name keeps in a table that is too wide; longer ones continue in the next line."""
PADDING = re.compile(r" +$", re.MULTILINE)


class Terminal(LineObserver):
    """Where a command speaks. `quiet` leaves only errors; rich is loaded when first needed."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        super().__init__(_print_stderr)
        self.quiet = quiet
        self.verbose = verbose
        self._status: Status | None = None
        self._has_bar = False

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
            super().message(escape(name_options(text)))

    def error(self, text: str) -> None:
        """Print what failed, in one line, even if quiet."""
        self._end_status()
        _print_stderr(f"error: {escape(name_options(' '.join(text.splitlines())))}")

    def traceback(self, error: BaseException) -> None:
        """Print where an error came from."""
        from traceback import format_exception

        for line in "".join(format_exception(error)).splitlines():
            _print_stderr(escape(line))

    def ask(self, prompt: str) -> str:
        """Return a line that a person types.

        Raises:
            EOFError: there is no more.
        """
        if sys.stdout.isatty():
            return input(f"{prompt}> ").strip()
        _print_stderr(f"{prompt}> ", end="")
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

    def show(self, *parts: "RenderableType | TextTable", stderr: bool = False) -> None:
        """Print tables and styled text to stdout (or stderr), a table as wide as it needs to be."""
        from rich.table import Table

        from densecli.report.text_table import TextTable

        self._end_status()
        console = self.console(stderr)
        views = [_rich_table(part) if isinstance(part, TextTable) else part for part in parts]
        needed = [view.min_width or 0 for view in views if isinstance(view, Table)]
        console.width = max([console.width, *needed])
        with console.capture() as captured:
            for view in views:
                console.print(view)
        text = PADDING.sub("", captured.get())
        if stderr:
            _print_stderr(text, end="")
        else:
            sys.stdout.write(text)
            sys.stdout.flush()

    def show_each(self, parts: "Iterable[RenderableType]") -> None:
        """Print parts to stdout as they come."""
        for part in parts:
            self.show(part)

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
        """Pass items on with a progress bar, or with lines if stderr is not a terminal."""
        if self.quiet:
            return iter(items)
        if sys.stderr.isatty():
            # one bar at a time: that of the work as a whole
            if self._has_bar:
                return iter(items)
            return self._bar(measure_rate(items, done, start), what, total, note)
        return super().progress(items, what, total, unit, note, done, start)

    def _bar(
        self, items: Iterable[tuple[T, int, float]], what: str, total: int | None, note: Callable[[T], str]
    ) -> Iterator[T]:
        from rich.progress import MofNCompleteColumn, TextColumn, TimeElapsedColumn

        rate_and_note = TextColumn("{task.fields[rate]} {task.fields[note]}", markup=False)
        self._has_bar = True
        try:
            with self._rich_progress(MofNCompleteColumn(), rate_and_note, TimeElapsedColumn()) as progress:
                task = progress.add_task(escape(what), total=total, rate="", note="")
                for item, reached, rate in items:
                    progress.update(task, completed=reached, rate=f"{rate:,.1f}/s", note=escape(note(item)))
                    yield item
        finally:
            self._has_bar = False

    def _rich_progress(self, *columns: "ProgressColumn") -> "Progress":
        """Return a bar with the given columns between its name and the time that is left."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *columns,
            TimeRemainingColumn(),
            console=self.console(stderr=True),
            transient=True,
        )

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

    def number_questions(self, items: Iterator[T], what: str) -> Iterator[T]:
        """Pass answers on that take seconds each, and show the number of the question at work."""
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
        """Show a download; yields a function to call with the bytes received and the bytes in all."""
        if self.quiet:
            yield lambda received, total: None
        elif sys.stderr.isatty():
            from rich.progress import DownloadColumn, TransferSpeedColumn

            with self._rich_progress(DownloadColumn(), TransferSpeedColumn()) as progress:
                task = progress.add_task(escape(what), total=None)
                yield lambda received, total: progress.update(task, completed=received, total=total)
        else:
            with super().transfer(what) as report:
                yield report


def _rich_table(table: "TextTable") -> "Table":
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


def flush_each(records: Iterable[T], stream: BinaryIO) -> Iterator[T]:
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


def _print_stderr(text: str, end: str = "\n") -> None:
    """Print to stderr. If it cannot be written (full disk, closed pipe), the work goes on."""
    try:
        sys.stderr.write(text + end)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Send to nowhere what a stream still holds and will get: Python flushes it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

"""How long work reports: messages, warnings, progress and transfers. The default is silent."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
HEARTBEAT_SECONDS = 10.0
"""Time between two lines about the same work."""
TICKS = 20
"""How often in that time a thread checks whether a line is due."""
SHORTEST_TICK = 0.1
LONGEST_END = 1.0
BATCH_SECONDS = 1.0
"""An item that takes longer may be the first of a batch."""
RATE_SECONDS = 120.0
"""How far back the rate of work is measured."""


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


class LineObserver(Observer):
    """Reports in single lines, for logs and pipes: progress and transfers every ten seconds.

    Args:
        write: receives each line, without its end, such as `print` or `logging.info`.

    Example:
        >>> LineObserver(print).warning("2 questions have no answers")
        warning: 2 questions have no answers
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def message(self, text: str) -> None:
        """Write one line."""
        self._write(text)

    def warning(self, text: str) -> None:
        """Write one line about something that the user should check."""
        self.message(f"warning: {text}")

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
        """Pass items on; write how much is done, how fast, and how much time is left.

        While an item takes longer than ten seconds, the line is repeated. Without a `total` it is not, since
        the program may be waiting for someone to type.
        """
        of = f" of {total:,}" if total else ""

        def describe(found: tuple[T, int, float] | None) -> str:
            if found is None:
                return f"{what}: {start:,}{of} {unit}".rstrip()
            item, reached, rate = found
            left = f", {timedelta(seconds=round((total - reached) / rate))} left" if total and rate else ""
            return f"{what}: {reached:,}{of} {unit}({rate:,.1f}/s{left}) {note(item)}".rstrip()

        with _Heartbeat(describe, self.message, repeats=total is not None) as heartbeat:
            tracked = measure_rate(items, done, start)
            while (found := heartbeat.wait_for(tracked)) is not None:
                yield found[0]
                heartbeat.write_after_item()

    @contextmanager
    def transfer(self, what: str) -> Iterator[Callable[[int, int | None], None]]:
        """Write the beginning of a download, then the megabytes received."""
        self.message(f"fetching {what}")
        last = time.monotonic()

        def report(received: int, total: int | None) -> None:
            nonlocal last
            if time.monotonic() - last >= HEARTBEAT_SECONDS:
                last = time.monotonic()
                of = f" of {total / 1e6:,.0f}" if total else ""
                self.message(f"{what}: {received / 1e6:,.0f}{of} MB")

        yield report


class _Heartbeat(Generic[T]):
    """Writes where the work is every ten seconds, from a thread of its own while no item comes."""

    def __init__(
        self, describe: Callable[[T | None], str], write: Callable[[str], object], repeats: bool
    ) -> None:
        self._describe = describe
        self._write = write
        self._repeats = repeats
        self._last: T | None = None
        self._waits = False
        self._batch_ends = 0.0
        self._written = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        if self._repeats:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        # a generator that nobody ended is ended in whatever thread collects garbage
        if self._repeats and threading.current_thread() is not self._thread:
            # not forever: who should read the lines may have stopped
            self._thread.join(LONGEST_END)

    def wait_for(self, items: Iterator[T]) -> T | None:
        """Return the next item, None at the end."""
        self._waits = True
        begun = time.monotonic()
        found = next(items, None)
        now = time.monotonic()
        if now - begun >= BATCH_SECONDS:
            # what comes with it comes soon
            self._batch_ends = 2 * now - begun
        self._waits = False
        if found is not None:
            self._last = found
        return found

    def write_after_item(self) -> None:
        """Write where the work is, if a line is due.

        The first items of a batch are not counted alone: the first took as long as the batch, and the time
        left would be far too long. The thread writes the line when the next batch is waited for.
        """
        if not self._repeats or time.monotonic() >= self._batch_ends:
            self.write_if_due()

    def write_if_due(self) -> None:
        """Write where the work is, unless that was written in the last ten seconds."""
        with self._lock:
            now = time.monotonic()
            if now - self._written >= HEARTBEAT_SECONDS:
                self._written = now
                self._write(self._describe(self._last))

    def _beat(self) -> None:
        # often, so that a line comes soon after its time, whenever the line before it was written
        pause = max(HEARTBEAT_SECONDS / TICKS, SHORTEST_TICK)
        while not self._ended.wait(pause):
            if self._waits:
                self.write_if_due()


def measure_rate(
    items: Iterable[T], done: Callable[[T], int] | None, start: int
) -> Iterator[tuple[T, int, float]]:
    """Yield each item with the amount of work that is done with it, and the amount done per second.

    The rate is measured over the last two minutes, since work may become faster or slower, or pause.

    Args:
        items: what to pass on.
        done: returns the amount of work that is done with an item; by default each item counts as one.
        start: amount of work that was done before the first item.
    """
    marks = deque([(time.monotonic(), start)])
    for number, item in enumerate(items, start + 1):
        reached = number if done is None else done(item)
        now = time.monotonic()
        # the last mark stays, however old: an item may take longer than the window
        while len(marks) > 1 and now - marks[0][0] > RATE_SECONDS:
            marks.popleft()
        since, before = marks[0]
        yield item, reached, (reached - before) / max(now - since, 1e-9)
        if now - marks[-1][0] >= 1:
            marks.append((now, reached))

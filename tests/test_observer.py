"""Reports in lines, as a log takes them."""

import re
import threading
import time
from collections.abc import Iterable, Iterator

import pytest

from densecli import observer
from densecli.observer import SILENT, LineObserver


def test_each_report_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0)
    monkeypatch.setattr(observer, "SHORTEST_TICK", 60)  # the thread writes nothing
    lines: list[str] = []
    log = LineObserver(lines.append)
    log.message("found 2 files")
    log.warning("1 is empty")
    assert list(log.progress("a", "read", 2, "files ")) == ["a"]
    with log.transfer("nq.gz") as report:
        report(1_000_000, 3_000_000)
    assert re.fullmatch(r"read: 1 of 2 files \([\d,.]+/s, 0:00:00 left\)", lines.pop(2))
    assert lines == [
        "found 2 files",
        "warning: 1 is empty",
        "fetching nq.gz",
        "nq.gz: 1 of 3 MB",
    ]


def test_the_line_is_repeated_while_an_item_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0.2)
    lines: list[str] = []
    enough = threading.Event()

    def write(line: str) -> None:
        lines.append(line)
        if len(lines) in (2, 4):
            enough.set()

    def work() -> Iterator[int]:
        for item in (1, 2):
            assert enough.wait(60)
            enough.clear()
            yield item

    told = LineObserver(write).progress(work(), "train", 2, "updates ", str)
    assert next(told) == 1
    assert lines[:2] == ["train: 0 of 2 updates"] * 2
    assert next(told) == 2
    assert re.fullmatch(r"train: 1 of 2 updates \([\d.]+/s, 0:00:\d\d left\) 1", lines[3])


def test_nothing_is_written_while_the_caller_does_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0.5)
    lines: list[str] = []
    before = threading.active_count()
    told = LineObserver(lines.append).progress(iter("ab"), "read", 2)
    next(told)
    time.sleep(1.0)
    assert lines == []
    told.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_nothing_is_repeated_where_the_work_may_be_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0.1)
    before = threading.active_count()
    told = LineObserver(print).progress(iter("ab"), "search")
    assert next(told) == "a"
    assert threading.active_count() == before


def test_the_time_left_is_not_estimated_from_the_first_item_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(observer, "BATCH_SECONDS", 0.1)
    lines: list[str] = []
    said = threading.Event()
    real, hours = time.monotonic, 0
    monkeypatch.setattr(observer.time, "monotonic", lambda: real() + 3600 * hours)

    def write(line: str) -> None:
        lines.append(line)
        said.set()

    def work() -> Iterator[int]:
        nonlocal hours
        for _ in range(2):
            hours += 1  # at once: as with a library that lets no other thread run meanwhile
            yield from range(100)
            said.clear()
            assert said.wait(60)

    list(LineObserver(write).progress(work(), "search", 200, "questions "))
    assert any(line.startswith("search: 100 of 200 questions (") for line in lines)
    assert all(re.match(r"search: (0|100|200) of", line) for line in lines), lines


def rates_of(seconds: Iterable[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rates after items that take so long each."""
    clock = 0.0
    monkeypatch.setattr(observer.time, "monotonic", lambda: clock)

    def work() -> Iterator[None]:
        nonlocal clock
        for taken in seconds:
            clock += taken
            yield None

    return [rate for _, _, rate in observer.measure_rate(work(), None, 7)]


def test_a_rate_forgets_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = rates_of([0.5] * 300 + [9000] + [0.25] * 99, monkeypatch)
    assert rates[:300] == [2] * 300
    assert rates[300] < 0.1
    assert rates[310:] == pytest.approx([4] * 90, rel=0.01)


def test_an_item_may_take_longer_than_the_time_that_a_rate_is_measured_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert rates_of([500] * 5, monkeypatch) == [1 / 500] * 5


def test_the_default_observer_passes_items_on() -> None:
    assert list(SILENT.progress([1, 2], "work")) == [1, 2]
    with SILENT.transfer("nq.gz") as report:
        report(1, None)

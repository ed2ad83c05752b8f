"""Reports in lines, as a log takes them."""

import pytest

from densecli import observer
from densecli.observer import SILENT, LineObserver


def test_each_report_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0)
    clock = iter(range(0, 100, 10))
    monkeypatch.setattr(observer.time, "monotonic", lambda: float(next(clock)))
    lines: list[str] = []
    log = LineObserver(lines.append)
    log.message("found 2 files")
    log.warning("1 is empty")
    assert list(log.progress("a", "read", 2, "files ")) == ["a"]
    with log.transfer("nq.gz") as report:
        report(1_000_000, 3_000_000)
    assert lines == [
        "found 2 files",
        "warning: 1 is empty",
        "read: 1 of 2 files (0.1/s, 0:00:10 left)",
        "fetching nq.gz",
        "nq.gz: 1 of 3 MB",
    ]


def test_the_default_observer_passes_items_on() -> None:
    assert list(SILENT.progress([1, 2], "work")) == [1, 2]
    with SILENT.transfer("nq.gz") as report:
        report(1, None)

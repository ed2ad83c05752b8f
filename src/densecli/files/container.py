"""What a container may use of its machine, as Linux's control groups say (both versions of them)."""

import math
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
UNLIMITED = 1 << 60
"""Version 1 has a number near 2**63 where there is no limit."""


def core_limit() -> int | None:
    """Return how many cores the container can keep busy, rounded up; None without a limit."""
    quota, period, *_ = [*_numbers("cpu.max"), 0, 0]
    if not quota:
        quota, period = _first("cpu/cpu.cfs_quota_us"), _first("cpu/cpu.cfs_period_us")
    return max(1, math.ceil(quota / period)) if quota > 0 and period > 0 else None


def memory_left() -> int | None:
    """Return how many more bytes the container can take; None without a limit.

    Files that are cached in memory count as free, since the system drops them when memory is needed.
    """
    limit, used, cached = (
        _first("memory.max"),
        _first("memory.current"),
        _cached("memory.stat", "inactive_file", "active_file"),
    )
    if not limit:
        limit, used = _first("memory/memory.limit_in_bytes"), _first("memory/memory.usage_in_bytes")
        cached = _cached("memory/memory.stat", "total_inactive_file", "total_active_file")
    return max(0, limit - used + cached) if 0 < limit < UNLIMITED else None


def _first(name: str) -> int:
    return (_numbers(name) or [0])[0]


def _numbers(name: str) -> list[int]:
    """Return the numbers of a file; none where it is missing or says `max`."""
    words = _read(name).split()
    return [] if words[:1] == ["max"] else [int(word) for word in words if word.lstrip("-").isdecimal()]


def _cached(name: str, *fields: str) -> int:
    rows = (row.split() for row in _read(name).splitlines())
    return sum(int(row[1]) for row in rows if row and row[0] in fields and row[-1].isdecimal())


def _read(name: str) -> str:
    try:
        return (ROOT / name).read_text()
    except (OSError, UnicodeDecodeError):
        return ""

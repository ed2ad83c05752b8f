"""How much memory this machine can give."""

from pathlib import Path

UNKNOWN = 4 << 30


def available_memory() -> int:
    """Return how many bytes are free or can be made free; a guess where the system does not say (4 GiB)."""
    try:
        rows = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return UNKNOWN
    found = (row.split() for row in rows if row.startswith("MemAvailable:"))
    return next((int(row[1]) << 10 for row in found), UNKNOWN)

"""How much memory this machine can give."""

import sys
from pathlib import Path

from densecli.errors import ResourceError
from densecli.files.container import memory_left

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

UNKNOWN = 4 << 30
LEAST_ADDRESS_SPACE = 1 << 30
"""Bytes. With less, libraries crash while they are loaded, without an error that could be caught."""


def check_address_space() -> None:
    """Check that the libraries fit into the address space of this process.

    Raises:
        ResourceError: a limit (`ulimit -v`) leaves less than 1 GiB.
    """
    if resource is None:
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise ResourceError(
            f"the address space is limited to {limit >> 20:,} MiB; raise the limit to"
            f" {LEAST_ADDRESS_SPACE >> 20:,} MiB or more with ulimit -v"
        )


def available_memory() -> int:
    """Return how many bytes are free or can be made free; a guess where the system does not say (4 GiB)."""
    try:
        rows = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return UNKNOWN
    found = (row.split() for row in rows if row.startswith("MemAvailable:"))
    free = next((int(row[1]) << 10 for row in found), UNKNOWN)
    left = memory_left()
    return free if left is None else min(free, left)


def peak_memory() -> int:
    """Return how many bytes this process took at most; 0 where the system does not say."""
    if resource is None:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # macOS counts bytes, Linux KiB

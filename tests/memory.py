"""Put the temporary files of tests in memory where the system has a place for that.

The tests make many thousands of small files, and a disk takes far longer for each of them. TMPDIR overrides
it.
"""

import os
import shutil
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
NEEDED = 4 << 30
"""Free bytes. A container often has 64 MiB, which is not enough."""


def use_memory() -> None:
    """Have this process, and those that it starts, make temporary files in memory."""
    if "TMPDIR" in os.environ or not os.access(SHARED_MEMORY, os.W_OK):
        return
    if shutil.disk_usage(SHARED_MEMORY).free >= NEEDED:
        os.environ["TMPDIR"] = str(SHARED_MEMORY)
        tempfile.tempdir = None  # a library may have asked already


use_memory()

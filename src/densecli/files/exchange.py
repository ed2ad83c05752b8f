"""Two paths that change places in one step."""

import errno
import os
import sys
from collections.abc import Callable
from ctypes import CDLL, get_errno
from functools import cache
from pathlib import Path

SWAP = 2
"""`RENAME_EXCHANGE` of Linux and `RENAME_SWAP` of macOS."""
HERE = -100
"""`AT_FDCWD` of Linux: paths are relative to the working directory."""
UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(one: Path, other: Path) -> bool:
    """Swap two paths that exist: at no moment is either of them missing.

    Returns:
        False, with nothing changed, where the system or the file system cannot do it.

    Raises:
        OSError: a path is missing, or may not be changed.
    """
    swap = _system_call()
    if swap is None:
        return False
    if swap(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    number = get_errno()
    if number in UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


@cache
def _system_call() -> Callable[[bytes, bytes], int] | None:
    """Return the system's exchange of two paths, None where it has none."""
    if sys.platform == "win32":
        return None
    library = CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        swap = getattr(library, "renamex_np", None)
        return None if swap is None else lambda one, other: int(swap(one, other, SWAP))
    rename = getattr(library, "renameat2", None)  # missing in old versions of glibc and in musl
    return None if rename is None else lambda one, other: int(rename(HERE, one, HERE, other, SWAP))

"""What a machine runs out of or refuses: disk, descriptors, memory, permissions; and what to do then."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from densecli.errors import ResourceError

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_FAULT_OF_THE_FILE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM}
NO_FILES = {errno.EMFILE, errno.ENFILE}
NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
MEMORY_TEXTS = (
    "can't allocate memory",
    "annot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "Failed to launch worker thread",
    "std::bad_alloc",
)
"""What libraries say in errors of other kinds when memory or address space is used up."""


def is_full(error: OSError) -> bool:
    """Whether an error says that a disk is full."""
    return error.errno in NO_SPACE or "requested and" in str(error)  # numpy: "9 requested and 5 written"


def is_shortage(error: BaseException) -> bool:
    """Whether a file could not be read for a reason that does not make it a damaged one."""
    return isinstance(error, OSError) and error.errno in NO_FAULT_OF_THE_FILE


@contextmanager
def named_if_full(place: Path | str) -> Iterator[None]:
    """Add the name of the file to the error of a full disk, which has none when a write fails."""
    try:
        yield
    except OSError as error:
        if error.filename is None and is_full(error):
            if error.errno is None:  # numpy's own
                error.errno, error.strerror = errno.ENOSPC, os.strerror(errno.ENOSPC)
            error.filename = str(place)
        raise


@contextmanager
def temporary_space() -> Iterator[None]:
    """Say where temporary files lie if there is no room for them.

    Raises:
        ResourceError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        place = tempfile.gettempdir()
        raise ResourceError(f"{place}: the disk is full; set TMPDIR to a larger one") from None


def describe_shortage(error: BaseException) -> str:
    """Return what the machine lacks or refuses, and what to do; empty if the error has another cause."""
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        return "not enough memory; use smaller batches or a machine with more"
    if not isinstance(error, OSError):
        return ""
    place = error.filename or "the disk"
    if error.errno in NO_FILES:
        return f"{error.strerror}; raise the limit of open files with ulimit -n"
    if is_full(error):
        return f"{place}: no space left; make room, or choose another place (earlier results are untouched)"
    if error.errno in NO_PERMISSION:
        return f"{place}: {error.strerror}; choose another place, or change who may read and write it"
    return f"{place}: {error.strerror or error}; check the path and the disk"


def _is_out_of_memory(error: BaseException) -> bool:
    # torch is not imported here: its error for a device is known by name, the one for the CPU by its text.
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, Exception) and any(text in str(error) for text in MEMORY_TEXTS)
    )

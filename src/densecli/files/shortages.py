"""What a machine runs out of while a file is read or written: disk, descriptors, memory."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_FAULT_OF_THE_FILE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM}


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

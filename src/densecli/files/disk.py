"""Writing so that a full disk is an error, and not the SIGBUS that a memory map ends in."""

import errno
import os

BLOCK = 1 << 20
UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS}


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data` into an open file.

    Raises:
        OSError: there is not enough space.
    """
    rest = memoryview(data)
    while rest:
        done = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[done:], offset + done


def reserve(descriptor: int, size: int) -> None:
    """Make an empty file one of `size` zero bytes whose place on the disk is taken, so that it can be written
    through a memory map.

    Raises:
        OSError: there is not enough space.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:  # macOS has none
        pass
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    else:
        return
    # a hole would not take any space: zeros are written, so that a full disk shows here
    for start in range(0, size, BLOCK):
        write_at(descriptor, bytes(min(BLOCK, size - start)), start)

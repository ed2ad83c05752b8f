"""Who may write a result: the lock in the hidden folder where it grows.

`files/atomic` says what else that folder holds. A folder without our mark in its lock is somebody else's.

The lock is our own and not `filelock`'s, which leaves its file behind beside every output, does not name
the process that holds it, and cannot be passed on to worker processes.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from densecli.errors import ArtifactError, ResourceError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
MARK = b"densecli "
GRACE_SECONDS = 0.3
"""How long to wait for a run that may be ending just now."""
ORPHAN_SECONDS = 20.0
"""How long to wait for the worker processes of a run that was killed: they end within moments."""
LOOK_SECONDS = 0.01
_held: set[int] = set()


def scratch_of(target: Path) -> Path:
    """Return the hidden folder in which `target` grows."""
    return target.with_name(f".{target.name}.partial")


def is_scratch(folder: Path) -> bool:
    """Whether a folder is one in which densecli lets something grow."""
    lock = folder / LOCK
    return is_folder(folder) and is_file(lock) and lock.read_bytes().startswith(MARK)


def held_locks() -> tuple[int, ...]:
    """Return the descriptors of the locks that this process holds. A worker process that gets them keeps
    others from a target for as long as it lives, even when this process is killed."""
    return tuple(_held)


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Keep other processes from writing `target`; the lock ends with the process and its workers.

    Raises:
        ResourceError: another process holds it, or the system is Windows.
        ArtifactError: the place where `target` would grow is a link, or is not densecli's.
    """
    scratch = scratch_of(target)
    if fcntl is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock(scratch, target)
    _held.add(lock)
    try:
        yield
    finally:
        _held.discard(lock)
        _tidy(scratch)
        fcntl.flock(lock, fcntl.LOCK_UN)  # for the workers too, which may still have it
        os.close(lock)


def _lock(scratch: Path, target: Path) -> int:
    """Return the descriptor of the lock in a scratch folder, which is made where it is missing."""
    if fcntl is None:
        raise ResourceError(
            f"{target}: writing results needs the file locks of Linux or macOS; on Windows use WSL, or let"
            " the result go to standard output"
        )
    begun = time.monotonic()
    while True:
        try:
            with suppress(FileExistsError):
                scratch.mkdir()
            _check_ours(scratch)
            lock = os.open(scratch / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except FileNotFoundError:  # another process has just removed the folder
            if time.monotonic() - begun > GRACE_SECONDS:
                raise
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_nlink:
                os.ftruncate(lock, 0)
                os.pwrite(lock, MARK + str(os.getpid()).encode(), 0)
                return lock
        except BlockingIOError:
            holder = os.pread(lock, 64, 0).removeprefix(MARK).decode(errors="replace").strip()
            if time.monotonic() - begun > (GRACE_SECONDS if _lives(holder) else ORPHAN_SECONDS):
                os.close(lock)
                raise ResourceError(
                    f"{target}: another run (process {holder or 'unknown'}) is writing it; wait for it or"
                    " stop it"
                ) from None
            time.sleep(LOOK_SECONDS)
        except BaseException:
            _tidy(scratch)
            os.close(lock)
            raise
        os.close(lock)


def _check_ours(scratch: Path) -> None:
    """Check that densecli made a scratch folder.

    Raises:
        ArtifactError: it did not, or the folder or its lock is a link.
    """
    refuse_link(scratch)
    if not is_folder(scratch):
        raise _not_ours(scratch)
    names = os.listdir(scratch)
    if not names:
        return
    refuse_link(scratch / LOCK)
    if not is_file(scratch / LOCK):
        raise _not_ours(scratch)
    mark = (scratch / LOCK).read_bytes()
    if not mark.startswith(MARK) and (mark or names != [LOCK]):  # empty for a moment, before it is locked
        raise _not_ours(scratch)


def _not_ours(scratch: Path) -> ArtifactError:
    return ArtifactError(
        f"{scratch}: densecli needs this name for an unfinished result, and did not make what is there;"
        " move it away, or choose another `output`"
    )


def refuse_link(path: Path) -> None:
    """Refuse to write where a symbolic link stands.

    Raises:
        ArtifactError: it names the link.
    """
    if path.is_symlink():
        raise ArtifactError(f"{path}: is a symbolic link, which densecli does not follow here; remove it")


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, OverflowError):
        return False
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tidy(scratch: Path) -> None:
    """Remove a scratch folder in which nothing has grown."""
    with suppress(OSError):
        if os.listdir(scratch) == [LOCK]:
            os.unlink(scratch / LOCK)
            os.rmdir(scratch)  # fails where another process has made a new lock meanwhile


def is_folder(path: Path) -> bool:
    """Return whether there is a folder, and not a link to one."""
    return _is_kind(path, stat.S_ISDIR)


def is_file(path: Path) -> bool:
    """Return whether there is a file, and not a link to one."""
    return _is_kind(path, stat.S_ISREG)


def _is_kind(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False

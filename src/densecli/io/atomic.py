"""Folders and files that are there whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from densecli.errors import ResourceError, UsageError


def partial_of(target: Path) -> Path:
    """Return where `target` grows until it is whole."""
    return target.with_name(f".{target.name}.partial")


def _old_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Keep other processes from writing `target`; the lock dies with the process.

    Raises:
        ResourceError: another process holds it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name}.lock")
    with _lock_file(path, target) as lock:
        try:
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
        finally:
            path.unlink(missing_ok=True)


def _lock_file(path: Path, target: Path) -> TextIO:
    while True:
        lock = open(path, "a+")  # noqa: SIM115 - handed to the caller
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise ResourceError(
                f"{target}: another run (process {holder}) is writing it; wait for it or stop it"
            ) from None
        # The holder before us may have removed the file between our open and our lock.
        if os.fstat(lock.fileno()).st_nlink:
            return lock
        lock.close()


def sync_tree(folder: Path) -> None:
    """Flush every file of a folder, and the folder itself, to the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Flush one file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_folder(source: Path, target: Path) -> None:
    """Put `source` in the place of `target`; a crash leaves one of the two, whole."""
    if target.exists():
        os.replace(target, _old_of(target))
    os.replace(source, target)
    recover(target)


def recover(target: Path) -> None:
    """Bring a replacement that was cut off to an end: back before its second rename, on after it."""
    old = _old_of(target)
    gone = target.with_name(f".{target.name}.gone")
    if old.exists() and not target.exists():
        os.replace(old, target)
    elif old.exists():
        # Renamed first: what is left of a removal that is cut off must not come back as a result.
        shutil.rmtree(gone, ignore_errors=True)
        os.replace(old, gone)
    shutil.rmtree(gone, ignore_errors=True)


@contextmanager
def new_folder(target: Path, keep_partial: bool = False) -> Iterator[Path]:
    """Yield a folder that takes the place of `target` when the block ends well.

    With `keep_partial` what an interrupted run left is handed on (the caller checks that it
    belongs to the same work) and stays after a failure; else it is removed at both ends. Where
    `target` is a symbolic link, the folder it names is replaced and the link stays.

    Raises:
        ResourceError: another process is writing `target`.
    """
    target = target.resolve()
    with locked(target):
        recover(target)
        partial = partial_of(target)
        if not keep_partial:
            shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            sync_tree(partial)
            replace_folder(partial, target)
        except BaseException:
            recover(target)
            if not keep_partial or not list(partial.glob("*")):
                shutil.rmtree(partial, ignore_errors=True)
            raise


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield a path that takes the place of the file `target` when the block ends well.

    A device or a pipe is handed on as it is: nothing can take its place.

    Raises:
        UsageError: `target` is a folder.
        ResourceError: another process is writing `target`.
    """
    if target.is_dir():
        raise UsageError(f"{target}: is a folder; name a file")
    if target.exists() and not target.is_file():
        yield target
        return
    target = target.resolve()
    with locked(target):
        partial = partial_of(target)
        try:
            yield partial
            sync(partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)

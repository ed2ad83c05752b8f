"""Folders and files that appear whole or not at all, and never at the cost of anything else.

What is written to `x` grows in the hidden folder `.x.partial` beside it, which holds

    lock    locked by the process that writes; its text marks the folder as densecli's
    work    the new file or folder, until it takes the place of `x`
    old     the folder that is being replaced, where the system cannot swap two folders in one step
    gone    the folder that was replaced, while it is removed

No symbolic link is followed for anything that is removed, truncated or replaced, and a `.x.partial` without
that mark belongs to somebody else.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from densecli.errors import ResourceError, UsageError
from densecli.files.exchange import exchange
from densecli.files.lock import (
    LOOK_SECONDS,
    ORPHAN_SECONDS,
    held_locks,
    is_file,
    is_folder,
    is_scratch,
    locked,
    refuse_link,
    scratch_of,
)
from densecli.files.shortages import named_if_full

WORK = "work"
OLD = "old"
GONE = "gone"
DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr|fd/\d+)|/proc/(self|\d+)/fd/\d+")
"""Names of files that a process has open: what is at their place cannot be replaced for the others."""


def partial_of(target: Path) -> Path:
    """Return where `target` grows until it is whole."""
    return scratch_of(target) / WORK


def resolve_path(path: Path) -> Path:
    """Return what a path names, so that the same place is checked and written. All links are followed, once.

    A device or a pipe keeps its name.

    Raises:
        UsageError: it is a link that leads to itself, or the descriptor of a file that is open already.
    """
    if _is_special(path):
        return path
    if DESCRIPTOR.fullmatch(str(path)) and path.is_file():
        raise UsageError(f"{path}: is a file that is open already; name the file, or - for standard output")
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise UsageError(f"{path}: is a symbolic link that leads nowhere; name another place") from None


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def remove(path: Path) -> None:
    """Remove a file, a folder with all that is in it, or a link, and not what a link leads to."""
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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


def put_in_place(target: Path, check: Callable[[Path], None]) -> None:
    """Let the folder that has grown for `target` take its place; a crash leaves one of the two there, whole.

    Args:
        target: locked by this process.
        check: raises where a folder may not be replaced. It receives the folder that has really been taken
            away, even if that was replaced meanwhile.
    """
    work, old, gone = _parts(target)
    if not os.path.lexists(target):
        os.rename(work, target)
    elif exchange(work, target):
        try:
            check(work)
        except BaseException:
            exchange(work, target)
            raise
        os.rename(work, gone)
    else:
        check(target)
        os.rename(target, old)
        os.rename(work, target)
        os.rename(old, gone)
    _sync_name(target)
    with suppress(OSError):  # the new one is there; what is left of the old one goes with the next run
        remove(gone)


def recover(target: Path) -> None:
    """Finish a replacement that was cut off. `target` is locked by this process."""
    work, old, gone = _parts(target)
    remove(gone)
    if os.path.lexists(old) and not os.path.lexists(target):
        os.rename(work if os.path.lexists(work) else old, target)
    if os.path.lexists(old):
        os.rename(old, gone)  # first: half of it must not come back as a result
        remove(gone)


def _parts(target: Path) -> tuple[Path, Path, Path]:
    scratch = scratch_of(target)
    return scratch / WORK, scratch / OLD, scratch / GONE


def _sync_name(path: Path) -> None:
    """Flush to the disk that `path` is what its folder now says, where that can be done."""
    with suppress(OSError):
        sync(path.parent)


def finish(target: Path, is_whole: Callable[[Path], bool], check: Callable[[Path], None]) -> bool:
    """Put in place what a run has made whole that was killed before it could do so; return whether it did.

    Args:
        target: resolved.
        is_whole: whether the folder that has grown is the result asked for.
        check: as in `put_in_place`.

    Raises:
        ResourceError: another process is writing `target`.
    """
    if not is_scratch(scratch_of(target)) or not is_folder(partial_of(target)):
        return False
    with locked(target):
        recover(target)
        drop_unless_plain(partial_of(target))
        whole = is_whole(partial_of(target))
        if whole:
            put_in_place(target, check)
    return whole


def settle(target: Path) -> None:
    """Remove what a killed run has left of a folder that it had replaced, unless somebody is writing there.

    While this process holds a lock, nothing is done.
    """
    scratch = scratch_of(target)
    if not held_locks() and is_folder(scratch) and (is_scratch(scratch) or not os.listdir(scratch)):
        with suppress(ResourceError, OSError), locked(target):
            recover(target)


def restore(target: Path) -> None:
    """Put back what a replacement that was cut off has taken away: for those who only read `target`.

    Raises:
        ResourceError: another process holds the lock and does not continue.
    """
    patience = time.monotonic() + ORPHAN_SECONDS
    while is_scratch(scratch_of(target)) and is_folder(scratch_of(target) / OLD) and not target.exists():
        try:
            with locked(target):
                recover(target)
        except ResourceError:  # it is being replaced right now
            if time.monotonic() > patience:
                raise
            time.sleep(LOOK_SECONDS)


def restore_within(workspace: Path) -> None:
    """Do so for all that was being replaced in a workspace."""
    for folder in (workspace, *workspace.glob("examples")):
        for old in folder.glob(f".*.partial/{OLD}"):
            name = old.parent.name.removeprefix(".").removesuffix(".partial")
            restore(folder / name)


def in_the_making(_: Path) -> None:
    """Let everything be replaced: for folders within an unfinished result, which is densecli's as a whole."""


@contextmanager
def new_folder(
    target: Path,
    check: Callable[[Path], None],
    keep_partial: bool = False,
    check_partial: Callable[[Path], None] = in_the_making,
) -> Iterator[Path]:
    """Yield a folder that takes the place of `target` when the block ends well.

    With `keep_partial` what an interrupted run left is kept (the caller checks that it belongs to the
    same work) and stays after a failure; else it is removed at both ends.

    Args:
        target: resolved, so that it is not a link.
        check: raises where a folder may not be replaced; see `put_in_place`.
        keep_partial: whether a later run can resume.
        check_partial: receives the folder that grows, and raises where what is in it may not be lost.

    Raises:
        ResourceError: another process is writing `target`.
        ArtifactError: `target` or the place where it grows is a link.
    """
    refuse_link(target)
    with locked(target):
        recover(target)
        work = partial_of(target)
        check_partial(work)
        if keep_partial:
            drop_unless_plain(work)
        else:
            remove(work)
        work.mkdir(exist_ok=True)
        try:
            with named_if_full(target):
                yield work
                sync_tree(work)
            put_in_place(target, check)
        except BaseException:
            if not keep_partial or not any(work.glob("*")):
                remove(work)
            raise


def drop_unless_plain(path: Path) -> None:
    """Remove what an earlier run left where writing to it might change something else: where it is or holds
    a link, a file with a second name, or anything but files and folders."""
    found = (path, *path.rglob("*")) if is_folder(path) else (path,)
    if not all(is_folder(one) or _is_sole_file(one) for one in found):
        remove(path)


def _is_sole_file(path: Path) -> bool:
    return is_file(path) and path.lstat().st_nlink == 1


def refuse_unwritable(target: Path) -> None:
    """Refuse a place for a file, before work begins whose result would be lost.

    Raises:
        UsageError: `target` is a folder.
        OSError: nothing can be written there. Missing folders are made later.
    """
    place = resolve_path(target)
    if place.is_dir():
        raise UsageError(f"{target}: is a folder; name a file")
    there = next(folder for folder in place.parents if os.path.lexists(folder))
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    if not _is_special(place) and not os.access(there, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield a path that takes the place of the file `target` when the block ends well.

    A device or a pipe is written directly: nothing can take its place.

    Raises:
        UsageError: `target` is a folder.
        ResourceError: another process is writing `target`.
        ArtifactError: `target` or the place where it grows is a link.
    """
    if target.is_dir():
        raise UsageError(f"{target}: is a folder; name a file")
    if _is_special(target):
        with named_if_full(target):
            yield target
        return
    refuse_link(target)
    with locked(target):
        work = partial_of(target)
        remove(work)
        try:
            with named_if_full(target):
                yield work
                sync(work)
            os.replace(work, target)
            _sync_name(target)
        finally:
            remove(work)

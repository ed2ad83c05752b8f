"""From an exception to one line on stderr and a documented exit code: the only place."""

import errno
import sys
from typing import TYPE_CHECKING

import typer

from densecli.cli.terminal import Terminal, discard
from densecli.errors import DenseError, ExitStatus, UpToDate
from densecli.files.shortages import is_full

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup

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
"""What libraries say in errors of other kinds."""
NO_MEMORY = "not enough memory; use smaller batches or a machine with more"


def status_of(error: BaseException) -> tuple[ExitStatus, str]:
    """Return the exit status of an exception and the line that reports it."""
    if isinstance(error, UpToDate | BrokenPipeError):
        return ExitStatus.OK, ""
    if isinstance(error, DenseError):
        return error.status, str(error)
    if isinstance(error, typer.TyperException):
        return ExitStatus.USAGE, _usage(error)
    if isinstance(error, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED, "interrupted; finished work is kept, run the same command to resume"
    if isinstance(error, MemoryError) or _out_of_memory(error):
        return ExitStatus.RESOURCES, NO_MEMORY
    if isinstance(error, OSError):
        return ExitStatus.RESOURCES, _describe_os_error(error)
    return ExitStatus.BUG, f"unexpected {type(error).__name__}: {error} (run with -v for the traceback)"


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    program = context.command_path if context else "densecli"
    what = error.format_message().replace("Value error, ", "").rstrip(".")
    return f"{what}; see `{program} --help`"


def _out_of_memory(error: BaseException) -> bool:
    # torch is not imported here: its error for a device is known by name, the one for the CPU by its text
    # Under a small limit of address space libraries cannot be mapped and threads not started.
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, Exception) and any(text in str(error) for text in MEMORY_TEXTS)
    )


def _describe_os_error(error: OSError) -> str:
    place = error.filename or "the disk"
    if error.errno in NO_FILES:
        return f"{error.strerror}; raise the limit of open files with ulimit -n"
    if is_full(error):
        return f"{place}: no space left; make room, or choose another place (earlier results are untouched)"
    if error.errno in NO_PERMISSION:
        return f"{place}: {error.strerror}; choose another place, or change who may read and write it"
    return f"{place}: {error.strerror or error}; check the path and the disk"


def end(error: BaseException, terminal: Terminal, ranks: "ProcessGroup | None" = None) -> ExitStatus:
    """Report what happened, unless another of several processes has, and return the exit status."""
    status, message = status_of(error)
    reported = None if ranks is None else ranks.end(status)
    if reported is not None:
        return ExitStatus(reported)
    try:
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)
    if message:
        terminal.error(message)
    if terminal.verbose and (status is ExitStatus.BUG or isinstance(error, OSError)):
        terminal.traceback(error)
    return status

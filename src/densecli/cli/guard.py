"""From an exception to one line on stderr and a documented exit code: the only place."""

import sys
from typing import TYPE_CHECKING

import typer

from densecli.cli.terminal import Terminal, discard
from densecli.errors import DenseError, ExitStatus, UpToDate
from densecli.files.shortages import describe_shortage

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup


def status_of(error: BaseException) -> tuple[ExitStatus, str]:
    """Return the exit status of an exception and the line that reports it."""
    if isinstance(error, UpToDate | BrokenPipeError):
        return ExitStatus.OK, ""
    if isinstance(error, DenseError):
        return error.status, str(error)
    if isinstance(error, typer.TyperException):
        return ExitStatus.USAGE, _usage(error)
    # Python wraps what is raised while a class is made
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED, "interrupted; finished work is kept, run the same command to resume"
    shortage = describe_shortage(error)
    if shortage:
        return ExitStatus.RESOURCES, shortage
    return ExitStatus.BUG, f"unexpected {type(error).__name__}: {error} (run with -v for the traceback)"


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    program = context.command_path if context else "densecli"
    what = error.format_message().replace("Value error, ", "").rstrip(".")
    return f"{what}; see `{program} --help`"


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

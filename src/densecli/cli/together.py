"""Several processes, started by torchrun: who of them speaks, and how all of them end."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import typer

from densecli.cli.guard import end
from densecli.cli.terminal import Terminal
from densecli.errors import ExitStatus, ResourceError, UsageError

if TYPE_CHECKING:
    from densecli.training.ranks import Ranks

COMMANDS = ("train",)
GRACE_SECONDS = 3.0
LOOK_SECONDS = 0.5
KEPT = "what was saved before is whole: run the same command to go on"
STOPPED = f"told to stop (SIGTERM), as when another process of this training ended; {KEPT}"
ALONE = f"torchrun is gone; {KEPT}"


def is_beside() -> bool:
    """Whether another of several processes is the one to say what all of them meet alike."""
    return _several() and os.environ.get("RANK") != "0"


def joined(command: str, terminal: Terminal) -> "Ranks | None":
    """Join the processes that torchrun started beside this one, None where it is alone.

    Raises:
        UsageError: the command is for one process.
        ResourceError: the others are not found.
    """
    if not _several():
        return None
    if command not in COMMANDS:
        if is_beside():
            raise typer.Exit(ExitStatus.OK)  # or torchrun might end the one that tells before it does
        raise UsageError(
            f"{command} is for one process, and torchrun (RANK, WORLD_SIZE) says that there are"
            f" {os.environ['WORLD_SIZE']}; run it without torchrun"
        )
    if is_beside():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one saves, and ends all
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in the threads to come, too
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # who is gone is told here, in one line
    met: list[Ranks] = []
    threading.Thread(target=_watch, args=(met, terminal), daemon=True).start()
    from densecli.training import ranks

    met.append(ranks.Ranks.join())
    return met[0]


def end_together(error: BaseException, terminal: Terminal, ranks: "Ranks | None") -> ExitStatus:
    """End all processes: one tells why. Nothing is undone in order, since that might wait for the others.

    Returns:
        The exit status of a process that is alone; others do not come back.
    """
    status = end(error, terminal, ranks)
    if ranks is not None:
        _leave(status)
    return status


def _leave(status: ExitStatus) -> NoReturn:
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _several() -> bool:
    """Whether torchrun's environment tells of others."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def _watch(met: "list[Ranks]", terminal: Terminal) -> None:
    """End the process when it is told to, or torchrun is gone, whatever the training waits for."""
    started = os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else None
    while signal.SIGTERM not in signal.sigpending():
        if started is not None and os.getppid() != started:  # and with torchrun what the ranks would ask
            _leave(ExitStatus.RESOURCES if is_beside() else end(ResourceError(ALONE), terminal))
        time.sleep(LOOK_SECONDS)
    time.sleep(GRACE_SECONDS)  # for the training to find out by itself, and to leave things tidy
    if is_beside() and not met:
        _leave(ExitStatus.RESOURCES)
    _leave(end(ResourceError(STOPPED), terminal, met[0] if met else None))

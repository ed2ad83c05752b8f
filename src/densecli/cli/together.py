"""Several processes, started by torchrun: which of them prints, and how all of them end."""

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
    from densecli.training.ranks import ProcessGroup

GRACE_SECONDS = 3.0
LOOK_SECONDS = 0.5
KEPT = "what was saved before is complete: run the same command to resume"
STOPPED = f"stopped by SIGTERM, as when another process of this training ended; {KEPT}"
ALONE = f"torchrun is gone; {KEPT}"


def is_beside() -> bool:
    """Whether another of several processes reports what happens in all of them."""
    return _several() and os.environ.get("RANK") != "0"


def join_ranks(command: str, several_processes: bool, terminal: Terminal) -> "ProcessGroup | None":
    """Join the processes that torchrun started beside this one, if it did.

    Args:
        command: the command's name.
        several_processes: whether several processes can run it together.
        terminal: where an end is reported.

    Raises:
        UsageError: the command is for one process.
        ResourceError: the others are not found.
    """
    if not _several():
        return None
    if not several_processes:
        if is_beside():
            raise typer.Exit(ExitStatus.OK)  # or torchrun might end the one that reports before it does
        raise UsageError(
            f"{command} is for one process, and torchrun (RANK, WORLD_SIZE) started"
            f" {os.environ['WORLD_SIZE']}; run it without torchrun"
        )
    if is_beside():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one saves, and ends all
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in the threads to come, too
    # torch reads this when it is loaded; which process is gone is reported here, in one line
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    met: list[ProcessGroup] = []
    threading.Thread(target=_watch, args=(met, terminal), daemon=True).start()
    from densecli.training import ranks

    met.append(ranks.ProcessGroup.join())
    return met[0]


def end_together(error: BaseException, terminal: Terminal, ranks: "ProcessGroup | None") -> ExitStatus:
    """End all processes; one reports why. Nothing is cleaned up first, since that might wait for the others.

    Returns:
        The exit status of a process that is alone; of several none returns.
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
    """Whether torchrun started other processes too, as its environment says."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def _watch(met: "list[ProcessGroup]", terminal: Terminal) -> None:
    """End the process on SIGTERM, or when torchrun is gone, whatever the training waits for."""
    started = os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else None
    while signal.SIGTERM not in signal.sigpending():
        if started is not None and os.getppid() != started:  # and with torchrun what the ranks would ask
            _leave(ExitStatus.RESOURCES if is_beside() else end(ResourceError(ALONE), terminal))
        time.sleep(LOOK_SECONDS)
    time.sleep(GRACE_SECONDS)  # for the training to find out by itself, and to leave things tidy
    if is_beside() and not met:
        _leave(ExitStatus.RESOURCES)
    _leave(end(ResourceError(STOPPED), terminal, met[0] if met else None))

"""Several processes that torchrun started: whether there are any, how they join, and how all of them end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from densecli.errors import ExitStatus, ResourceError, UsageError

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup

    Report = Callable[[BaseException, ProcessGroup | None], ExitStatus]
    """Reports why the process ends, unless another process has, and returns the exit status."""

# What the training gets after SIGTERM to find out by itself that another process failed, and to say so.
GRACE_SECONDS = 3.0
LOOK_SECONDS = 0.5
KEPT = "the last checkpoint, if there is one, is complete: run the same command to resume"
STOPPED = f"stopped by SIGTERM, as when another process of this training ended; {KEPT}"
ALONE = f"torchrun has ended; {KEPT}"


def has_others() -> bool:
    """Whether torchrun started other processes too, as its environment says."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def is_beside() -> bool:
    """Whether another of several processes reports what happens in all of them."""
    return has_others() and os.environ.get("RANK") != "0"


def join_process_group(
    command: str, supported: bool, load: "Callable[[], ProcessGroup]", report: "Report"
) -> "ProcessGroup | None":
    """Join the processes that torchrun started beside this one, and end when they or torchrun end.

    Args:
        command: name of the command.
        supported: whether several processes can run the command together.
        load: loads torch and joins them; the process can be ended while it does.
        report: reports why the process ends.

    Returns:
        The processes; None if torchrun started no others.

    Raises:
        UsageError: the command is for one process.
        ResourceError: the others are not found.
    """
    if not has_others():
        return None
    if not supported:
        raise UsageError(
            f"{command} is for one process, and torchrun (RANK, WORLD_SIZE) started"
            f" {os.environ['WORLD_SIZE']}; run it without torchrun"
        )
    if is_beside():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one saves, and ends all
    # Blocked, in later threads too, and polled by `_watch`: a Python handler would not run while the main
    # thread waits for the others inside torch.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # torch reads this when it is loaded; which process is gone is reported here, in one line
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    met: list[ProcessGroup] = []
    threading.Thread(target=_watch, args=(met, report), daemon=True).start()
    met.append(load())
    return met[0]


def leave(status: int) -> NoReturn:
    """End this process at once. Nothing is cleaned up, since that might wait for the others."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # sys.exit would only end this thread, and torch's own clean-up can wait for a peer that is gone
    os._exit(status)


def _watch(met: "list[ProcessGroup]", report: "Report") -> None:
    """End the process on SIGTERM, or when torchrun is gone, even if the training waits for something."""
    started = os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else None
    while signal.SIGTERM not in signal.sigpending():
        # an orphan has another parent; the store of the processes was torchrun's and is gone with it, so
        # they cannot agree on who reports, and the first one does
        if started is not None and os.getppid() != started:
            leave(ExitStatus.RESOURCES if is_beside() else report(ResourceError(ALONE), None))
        time.sleep(LOOK_SECONDS)
    time.sleep(GRACE_SECONDS)
    if is_beside() and not met:
        leave(ExitStatus.RESOURCES)
    leave(report(ResourceError(STOPPED), met[0] if met else None))

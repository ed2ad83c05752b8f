"""A command under torchrun: which process prints, and that all of them end."""

import os
from typing import TYPE_CHECKING

import typer

from densecli.cli.guard import end
from densecli.cli.terminal import Terminal
from densecli.errors import ExitStatus, UsageError
from densecli.training.launch import has_others, is_beside, join_process_group, leave

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup


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
    if not has_others():
        return None
    if not several_processes:
        if is_beside():
            raise typer.Exit(ExitStatus.OK)  # or torchrun might end the one that reports before it does
        raise UsageError(
            f"{command} is for one process, and torchrun (RANK, WORLD_SIZE) started"
            f" {os.environ['WORLD_SIZE']}; run it without torchrun"
        )
    return join_process_group(_load, lambda error, ranks: end(error, terminal, ranks))


def _load() -> "ProcessGroup":
    from densecli.training.ranks import ProcessGroup

    return ProcessGroup.join()


def end_together(error: BaseException, terminal: Terminal, ranks: "ProcessGroup | None") -> ExitStatus:
    """End all processes; one reports why.

    Returns:
        The exit status of a process that is alone; of several none returns.
    """
    status = end(error, terminal, ranks)
    if ranks is not None:
        leave(status)
    return status

"""Several processes that find one another as those that torchrun starts do."""

import os
from collections.abc import Callable
from typing import Any

from torch.distributed import TCPStore

from densecli.training.ranks import ProcessGroup
from fork_server import open_fork_server

PATIENCE = 120.0


class Meeting:
    """Keeps the store where the processes of one run meet, as torchrun does."""

    def __init__(self, world: int) -> None:
        self._world = world
        self._store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)

    def environment(self, rank: int) -> dict[str, str]:
        """Return what torchrun tells one of them."""
        return {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(self._world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self._store.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "OMP_NUM_THREADS": "1",
        }


def together(world: int, do: Callable[..., Any], *given: Any) -> list[Any]:
    """Return what a function of `ProcessGroup` returns in each of several processes."""
    context = open_fork_server()
    meeting = Meeting(world)
    ends = []
    for rank in range(world):
        ours, theirs = context.Pipe()
        process = context.Process(target=_do, args=(theirs, meeting.environment(rank), do, given))
        process.start()
        ends.append((process, ours))
    found = []
    for process, ours in ends:
        assert ours.poll(PATIENCE)
        found.append(ours.recv())
        process.join(PATIENCE)
    return found


def _do(pipe: Any, environment: dict[str, str], do: Callable[..., Any], given: tuple[Any, ...]) -> None:
    os.environ.update(environment)
    ranks = ProcessGroup.join()
    pipe.send(do(ranks, *given))
    ranks.leave()

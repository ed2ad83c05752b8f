"""The processes that train one model together, as torchrun starts them."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from densecli.errors import ResourceError, UsageError

T = TypeVar("T")
# The others wait while the first one writes or downloads; a process that is gone is noticed anyway.
PATIENCE = timedelta(days=1)
TURN_SECONDS = 1.0
LOOK_SECONDS = 0.05
# Numbers in one exchange, 32 MiB: fewer exchanges than one per weight, without a copy of all gradients.
BUCKET = 1 << 23
# 2**32 divided by the golden ratio (Knuth), which spreads the seeds. If the rank itself were added, a process
# would have the dropout that the one before it has an update later.
STRIDE = 2_654_435_761
END = "end"
LOST = (
    "another process of this training ended before it was done; the last checkpoint, if there is one, is"
    " complete: run the same command to resume"
)


class ProcessGroup:
    """One of the processes that train together. Alone, it exchanges nothing.

    What all of them need is computed from the same numbers in the same order, so that they agree to the last
    bit. If one process fails, every exchange raises in the others.

    Attributes:
        rank: its number, from 0.
        world: how many they are.
        local: its number on this machine, from 0.
    """

    def __init__(self, rank: int = 0, world: int = 1, local: int = 0, store: Store | None = None) -> None:
        self.rank = rank
        self.world = world
        self.local = local
        self._store = store

    @classmethod
    def join(cls) -> "ProcessGroup":
        """Join the others that torchrun's environment names.

        Raises:
            UsageError: the environment is not whole.
            ResourceError: the others are not found.
        """
        try:
            store, rank, world = next(rendezvous("env://"))
            local = int(os.environ.get("LOCAL_RANK", "0"))
        except ValueError as error:
            raise UsageError(f"{error}; start several processes by `torchrun -m densecli ...`") from None
        except RuntimeError as error:
            raise ResourceError(f"the other processes are not found ({str(error).splitlines()[0]})") from None
        own = store.clone()  # not held up by what the other connection waits for
        gpu = torch.cuda.is_available() and dist.is_nccl_available()
        with _exchange():
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if gpu else "gloo",
                store=store, rank=rank, world_size=world, timeout=PATIENCE,
            )  # fmt: skip
        return cls(rank, world, local, own)

    @property
    def first(self) -> bool:
        """Whether it is the one that reports and writes."""
        return self.rank == 0

    def part(self, count: int) -> range:
        """Return which of `count` rows are its own: neighbors, and there may be none."""
        return range(count * self.rank // self.world, count * (self.rank + 1) // self.world)

    def seed(self, seed: int) -> int:
        """Return its own seed, since no two are to have the same dropout; the first one's is `seed`."""
        return (seed + self.rank * STRIDE) % (1 << 32) if self.rank else seed

    def device(self, name: str) -> str:
        """Return the name of its device: for `auto` and `cuda` a GPU of its own on its machine.

        Raises:
            UsageError: all processes are to share one GPU.
            ResourceError: there are fewer GPUs than processes on this machine.
        """
        gpus = torch.cuda.device_count()
        if self.world == 1 or name == "cpu" or (name == "auto" and not gpus):
            return name
        if name not in ("auto", "cuda"):
            raise UsageError(f"`device` {name}: several processes can't share it; leave it out")
        if self.local >= gpus:
            raise ResourceError(
                f"{self.local + 1} processes or more on a machine where torch sees {gpus} GPUs; start fewer,"
                " or use `device=cpu`"
            )
        return f"cuda:{self.local}"

    def gather_rows(self, own: Tensor, start: int, count: int) -> Tensor:
        """Return the rows (count, d) of all processes; gradients flow through its `own`, from row `start`."""
        if self.world == 1:
            return own
        end = start + len(own)
        rows = self.rows(own.detach(), range(start, end), count)
        return torch.cat([rows[:start], own, rows[end:]])

    def rows(self, own: Tensor, places: Sequence[int], count: int) -> Tensor:
        """Return the rows (count, d) of all processes. Each passes `own`, its rows at some `places`."""
        # A sum with zeros is exact, so all have the same bits. A gather would need parts of the same size.
        table = own.new_zeros(count, own.shape[1])
        table[list(places)] = own
        self._add(table)
        return table

    def total(self, numbers: Iterable[float]) -> list[float]:
        """Return the sums of some numbers over all processes."""
        # float64 holds counts up to 2**53 exactly
        table = torch.tensor(list(numbers), dtype=torch.float64)
        self._add(table)
        return [float(number) for number in table]

    def sum_rows(self, own: Sequence[Sequence[float]], width: int) -> list[float]:
        """Return the sums (width,) of all rows, added in the order in which one process alone would add."""
        (count,) = self.total([len(own)])
        table = torch.tensor(own, dtype=torch.float64).reshape(-1, width)
        rows = self.rows(table, self.select_own(range(int(count))), int(count))
        return [sum(column) for column in rows.T.tolist()]

    def select_own(self, items: Sequence[T]) -> Sequence[T]:
        """Return this process's share of some items."""
        return items[self.rank :: self.world]

    def add_gradients(self, weights: Sequence[Tensor], average: bool = False) -> None:
        """Give each weight the sum of its gradients in all processes, or their average.

        A weight that no process has a gradient of gets none.
        """
        if self.world == 1:
            return
        # a process whose part is empty has no gradients, but must take part in the same exchanges
        found = torch.tensor([weight.grad is not None for weight in weights], dtype=torch.int32)
        self._add(found)
        bucket: list[Tensor] = []
        for weight, times in zip(weights, found.tolist(), strict=True):
            if not times:
                continue
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            bucket.append(weight.grad)
            if sum(one.numel() for one in bucket) >= BUCKET:
                self._add_flat(bucket, average)
                bucket = []
        if bucket:
            self._add_flat(bucket, average)

    def _add_flat(self, bucket: Sequence[Tensor], average: bool) -> None:
        flat = torch.cat([one.flatten() for one in bucket])
        self._add(flat)
        if average:
            flat /= self.world
        for one, summed in zip(bucket, torch.split(flat, [one.numel() for one in bucket]), strict=True):
            one.copy_(summed.view_as(one))

    def _add(self, table: Tensor) -> None:
        if self.world > 1:
            with _exchange():
                dist.all_reduce(table)

    def share(self, make: Callable[[], Any]) -> Any:
        """Return what the first process makes, a value that JSON can hold; the others wait for it."""
        if self.world == 1:
            return make()
        text = json.dumps(make()).encode() if self.first else b""
        # as JSON: torch's own exchange of objects unpickles what it receives
        size = torch.tensor([len(text)])
        self.copy(size)
        content = bytearray(text) if self.first else bytearray(int(size))
        self.copy(torch.frombuffer(content, dtype=torch.uint8))
        return json.loads(content)

    def copy(self, table: Tensor) -> None:
        """Give the table of every process the numbers of the first one's."""
        if self.world > 1:
            with _exchange():
                dist.broadcast(table, 0)

    def in_turn(self, do: Callable[[], T]) -> T:
        """Call `do` in the first process, then in one per machine, then in the rest, which find its files."""
        turn = 0 if self.first else 1 if self.local == 0 else 2
        for number in range(3):
            if number == turn:
                done = do()
            self.wait()
        return done

    def wait(self) -> None:
        """Wait until all are here."""
        # a sum and not dist.barrier, which wants to know the GPU
        self.total([0.0])

    def leave(self) -> None:
        """Leave the group after the training is done."""
        if self.world > 1:
            dist.destroy_process_group()

    def end(self, status: int) -> int | None:
        """Note how the run ends, unless another has; the first process comes first where it is ending too.

        Returns:
            The status that another process noted and reported; None if this one is to report.
        """
        if self._store is None:
            return None
        own = f"{status} {self.rank} {threading.get_ident()}"
        try:
            until = time.monotonic() + (0 if self.first else TURN_SECONDS)
            while time.monotonic() < until and not self._store.check([END]):
                time.sleep(LOOK_SECONDS)
            # atomic: of several that end at once only one reports
            noted = self._store.compare_set(END, "", own).decode()
        except RuntimeError:  # it went with the process that kept it
            return None
        return None if noted == own else int(noted.split()[0])


ALONE = ProcessGroup()


@contextmanager
def _exchange() -> Iterator[None]:
    try:
        yield
    # a RuntimeError too, but no sign that another process is gone
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise ResourceError(LOST) from error

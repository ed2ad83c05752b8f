"""A function over a stream of items in several processes, with the results in the order of the items.

The processes are this program started again, and not forks of it: nothing that runs here (threads of
libraries, a progress bar) comes along, and they load only the module of the function. Each ends at once when
this one does, however it ends: Linux kills it, and elsewhere it sees the end of its standard input. It also
has the locks of this one, so that nobody writes to the same place before it is gone.

This is not `concurrent.futures` or `multiprocessing`: their processes outlive a parent that is killed, and
start slower, since they import the main module again.
"""

import ctypes
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from densecli.errors import ResourceError
from densecli.files.container import core_limit
from densecli.files.lock import held_locks

T = TypeVar("T")
R = TypeVar("R")
SERVE = "from densecli.files.parallel import serve; serve({parent})"
DIE_WITH_PARENT = 1
"""`PR_SET_PDEATHSIG` of Linux."""
AHEAD = 3
PIPE = 1 << 20
"""Bytes that a pipe to or from a process holds, where the system lets that be chosen."""
MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
"""With these glibc keeps what a process frees for its next item; to give it back each time costs a fifth."""


def cores() -> int:
    """Return how many cores this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, core_limit() or allowed)


def map_ordered(
    function: Callable[[T], R], items: Iterable[T], workers: int, alone: int = 0, ahead: int = AHEAD
) -> Iterator[R]:
    """Yield `function(item)` for every item, in order; a bounded number of them is in memory.

    What the items' iterator raises comes after the results of all items before.

    Args:
        function: a module-level function, or a partial of one; it, the items and the results can be pickled.
        items: read in this process.
        workers: processes; with one, this process does all itself.
        alone: items that this process does itself before it starts others.
        ahead: items in flight for each process.

    Raises:
        ResourceError: a process was ended from outside.
    """
    stream = iter(items)
    if workers == 1:
        yield from map(function, stream)
        return
    yield from map(function, islice(stream, alone))
    first = list(islice(stream, 1))
    if not first:
        return
    waiting: deque[Future[R]] = deque()
    failure: Exception | None = None
    pool = _Pool(function, workers)
    try:
        while True:
            # items are read no faster than results are taken: memory stays bounded
            while failure is None and len(waiting) < ahead * workers:
                try:
                    item = first.pop() if first else next(stream)
                except StopIteration:
                    break
                except Exception as error:
                    failure = error
                else:
                    waiting.append(pool.submit(item))
            if not waiting:
                break
            yield waiting.popleft().result()
        if failure is not None:
            raise failure
    finally:
        pool.close()


class _Pool(Generic[T, R]):
    """Processes, and for each a thread that waits for its answers."""

    def __init__(self, function: Callable[[T], R], workers: int) -> None:
        self._all = [_Worker(function) for _ in range(workers)]
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)
        # threads only wait for pipes, so they do not compete for the interpreter
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, item: T) -> "Future[R]":
        return self._threads.submit(self._ask, item)

    def _ask(self, item: T) -> R:
        worker = self._idle.get()
        try:
            return worker.ask(item)  # type: ignore[no-any-return]
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        for worker in self._all:
            worker.stop()
        self._threads.shutdown(cancel_futures=True)


class _Worker:
    """One process that is asked over its standard streams."""

    def __init__(self, function: Callable[..., Any]) -> None:
        # Linux means the thread that starts a process by its parent, and others than the main one end early.
        parent = os.getpid() if threading.current_thread() is threading.main_thread() else 0
        self._process = subprocess.Popen(
            # -P: the working directory is not searched for modules
            [sys.executable, "-P", "-c", SERVE.format(parent=parent)],
            pass_fds=held_locks(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=PIPE,
            env={**MEMORY, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,  # Ctrl-C reaches this process, which then ends the others
        )
        self._function: Callable[..., Any] | None = function

    def ask(self, item: Any) -> Any:
        """Return the result of the function for an item, or raise its exception."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            # sent once; it may hold a large config
            if self._function is not None:
                pickle.dump(self._function, self._process.stdin, pickle.HIGHEST_PROTOCOL)
                self._function = None
            pickle.dump(item, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            result, error = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            status = self._process.wait()
            why = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
            raise ResourceError(
                f"a worker process ended {why}, perhaps for lack of memory; run the same command to resume,"
                " with fewer `workers` where it takes them"
            ) from None
        if error is not None:
            raise error
        return result

    def stop(self) -> None:
        """End the process at once: it has nothing to keep."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue


def serve(parent: int) -> None:
    """Read items from standard input and write results to standard output: the worker's side.

    Args:
        parent: the process to end with, where the system can see to that; else 0.
    """
    if parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before that
            os._exit(0)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints does not get between the answers
    # a thread reads ahead, and notices that the parent is gone while the function works
    asked: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    function = asked.get()
    gc.freeze()  # what the modules made stays, and need not be looked through
    while True:
        item = asked.get()
        answer, failure = None, None
        try:
            answer = function(item)
        except Exception as error:
            failure = _portable(error)
        try:
            pickle.dump((answer, failure), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except BrokenPipeError:
            os._exit(0)


def _listen(asked: "SimpleQueue[Any]") -> None:
    """Pass on the items from standard input, and end the process when that ends, even during its work."""
    try:
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _portable(error: Exception) -> Exception:
    """Return an exception that arrives as it was sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
    return error

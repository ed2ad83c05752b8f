import os
import subprocess
import sys
import time
from functools import partial
from operator import mul

import pytest

from densecli.errors import FieldError, ResourceError
from densecli.files.lock import locked
from densecli.files.parallel import cores, map_ordered
from in_workers import die, nap, pid, refuse


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until_gone(pids):
    for _ in range(200):
        if not any(alive(pid) for pid in pids):
            return
        time.sleep(0.05)
    raise AssertionError(f"{pids} still run")


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("alone", [0, 3, 100])
def test_results_come_in_the_order_of_the_items(workers, alone):
    assert list(map_ordered(partial(mul, 2), range(40), workers, alone)) == [2 * n for n in range(40)]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_items_give_no_results(workers):
    assert list(map_ordered(pid, [], workers)) == []


def test_slow_items_do_not_change_the_order():
    naps = [0.3, 0, 0.1, 0, 0.2, 0, 0]
    assert list(map_ordered(nap, naps, 3)) == naps


def test_few_items_start_no_process():
    assert set(map_ordered(pid, range(3), 4, alone=3)) == {os.getpid()}
    found = list(map_ordered(pid, range(12), 2, alone=3))
    assert found[:3] == [os.getpid()] * 3
    assert os.getpid() not in found[3:]


def test_processes_end_when_the_work_is_done_or_abandoned():
    until_gone(set(map_ordered(pid, range(9), 2)))
    stream = map_ordered(pid, range(9), 2)
    first = next(stream)
    stream.close()
    until_gone([first])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bounded_number_of_items_is_read_ahead(workers):
    drawn = []

    def items():
        for number in range(100):
            drawn.append(number)
            yield number

    stream = map_ordered(partial(mul, 1), items(), workers)
    next(stream)
    assert len(drawn) <= 3 * workers + 1
    stream.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_items_follows_the_earlier_results(workers):
    def items():
        yield from range(10)
        raise FieldError("broken", "whole")

    stream = map_ordered(partial(mul, 3), items(), workers)
    assert [next(stream) for _ in range(10)] == [3 * number for number in range(10)]
    with pytest.raises(FieldError, match="broken"):
        next(stream)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_function_keeps_its_position(workers):
    stream = map_ordered(int, ["7", "x", "8"], workers)
    assert next(stream) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        next(stream)


def test_an_exception_that_cannot_be_pickled_is_reported_as_text():
    with pytest.raises(RuntimeError, match="FieldError: this; expected another"):
        list(map_ordered(refuse, ["this"], 2))


def test_a_process_killed_from_outside_is_reported():
    with pytest.raises(ResourceError, match=r"a worker process ended by SIGKILL, .* with fewer `workers`"):
        list(map_ordered(die, range(3), 2))


def test_worker_processes_end_when_the_parent_is_killed():
    script = (
        f"import os, sys; sys.path = {sys.path!r}\n"
        "from densecli.files.parallel import map_ordered\n"
        "from in_workers import pid\n"
        "stream = map_ordered(pid, range(10**9), 2)\n"
        "print(*{next(stream) for _ in range(30)}, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    pids = [int(word) for word in done.stdout.split()]
    assert pids
    until_gone(pids)


def killed_while_workers_work(before, function, items):
    """Kill a process with two workers, each in the middle of an item; return what the first two gave."""
    script = (
        f"import os, sys, time; sys.path = {sys.path!r}\n"
        "from contextlib import ExitStack\n"
        "from pathlib import Path\n"
        "from densecli.files.lock import locked\n"
        "from densecli.files.parallel import map_ordered\n"
        f"from in_workers import {function}\n"
        f"{before}\n"
        f"stream = map_ordered({function}, {items!r}, 2)\n"
        "print(*{next(stream) for _ in range(2)}, flush=True)\n"
        "time.sleep(0.5)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    return done.stdout.split()


NOT_KILLED = "from densecli.files import parallel; parallel.SERVE = parallel.SERVE.format(parent=0)"


@pytest.mark.parametrize("before", ["", NOT_KILLED])
def test_workers_end_in_the_middle_of_an_item(before):
    """Also where the system does not kill them."""
    pids = [int(word) for word in killed_while_workers_work(before, "pid_then_nap", [0, 0, 60, 60])]
    assert pids
    begun = time.monotonic()
    until_gone(pids)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("before", ["", NOT_KILLED])
def test_a_lock_is_held_while_a_worker_still_writes(tmp_path, before):
    lock = f"stack = ExitStack(); stack.enter_context(locked(Path({str(tmp_path / 'x')!r})))"
    file = tmp_path / "written"
    killed_while_workers_work(f"{before}\n{lock}", "go_on_writing", ["", "", str(file), str(file)])
    with locked(tmp_path / "x"):
        size = file.stat().st_size
        assert size
        time.sleep(0.3)
        assert file.stat().st_size == size


def test_a_worker_that_cannot_load_its_function_is_reported():
    with pytest.raises(ResourceError, match="a worker process ended with status 1"):
        list(map_ordered(Unloadable(), [1, 2], 2))


class Unloadable:
    """What can be pickled here, and not loaded elsewhere: no module of a test is importable there."""

    def __call__(self, item):
        return item


def test_output_of_a_library_is_not_mixed_with_results(capfd):
    assert list(map_ordered(partial(print, "noise"), [1, 2], 2)) == [None, None]
    assert capfd.readouterr().out == ""


def test_there_is_at_least_one_core():
    assert cores() >= 1

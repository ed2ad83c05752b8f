"""The lock that keeps two runs from writing one result."""

import subprocess
import sys
import time

import pytest

from densecli.errors import ResourceError
from densecli.files.atomic import in_the_making, new_folder
from densecli.files.lock import locked


def write(target, text):
    with new_folder(target, in_the_making) as folder:
        (folder / "a").write_text(text)


def names(folder):
    return {path.name for path in folder.iterdir()}


HOLD = """
import sys
from contextlib import contextmanager
from pathlib import Path
from densecli.files.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_excludes_another_process(tmp_path):
    target = tmp_path / "new" / "x"
    line = [sys.executable, "-c", HOLD, str(target)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ResourceError, match=rf"x: another run \(process {other.pid}\) is writing it"):
            write(target, "new")
        with locked(target.with_name("y")):
            pass
        other.kill()
    write(target, "new")
    assert names(target.parent) == {"x"}


ORPHAN = """
import os, sys, time
from densecli.files.lock import held_locks, locked
from pathlib import Path
with locked(Path(sys.argv[1])):
    if os.fork() == 0:
        time.sleep(1.5)
        os._exit(0)
    print("held", flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_lock_waits_for_the_workers_of_a_killed_run(tmp_path):
    """A fork has the lock, as a worker does that is passed `held_locks`."""
    target = tmp_path / "x"
    line = [sys.executable, "-c", ORPHAN, str(target)]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        other.wait()
    begun = time.monotonic()
    write(target, "new")
    assert 0.5 < time.monotonic() - begun < 10


def test_a_lock_is_released(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "x"), pytest.raises(ResourceError), locked(tmp_path / "x"):
            pass
    assert names(tmp_path) == set()

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from densecli.errors import ResourceError, UsageError
from densecli.io import atomic
from densecli.io.atomic import locked, new_file, new_folder, partial_of


def fill(target, text, **options):
    with new_folder(target, **options) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_text(text)
        (folder / "b").write_text(text)


def content(target):
    return (target / "deep" / "a").read_text(), (target / "b").read_text()


class StopError(Exception):
    pass


@contextmanager
def stopped(manager, failure=StopError):
    """Enter a context, and fail when its block has ended."""
    with pytest.raises(failure), manager as inside:  # noqa: PT012
        yield inside
        raise failure


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_folder_appears_whole_and_alone(tmp_path):
    target = tmp_path / "not" / "there" / "yet"
    with new_folder(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert names(target.parent) == {"yet"}
    assert names(target) == {"a"}


def test_the_new_one_takes_the_place_of_the_old(tmp_path):
    fill(tmp_path / "x", "old")
    (tmp_path / "x" / "only in the old").touch()
    fill(tmp_path / "x", "new")
    assert content(tmp_path / "x") == ("new", "new")
    assert names(tmp_path) == {"x"}
    assert names(tmp_path / "x") == {"deep", "b"}


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_one(tmp_path, failure):
    fill(tmp_path / "x", "old")
    with stopped(new_folder(tmp_path / "x"), failure) as folder:
        (folder / "b").write_text("new")
    assert content(tmp_path / "x") == ("old", "old")
    assert names(tmp_path) == {"x"}


def test_what_an_interrupted_run_left_is_kept_on_demand(tmp_path):
    target = tmp_path / "x"
    with stopped(new_folder(target, keep_partial=True)) as folder:
        (folder / "half").write_text("1")
    with new_folder(target, keep_partial=True) as folder:
        assert names(folder) == {"half"}
    assert names(target) == {"half"}
    assert names(tmp_path) == {"x"}


def test_nothing_is_not_kept(tmp_path):
    with stopped(new_folder(tmp_path / "x", keep_partial=True)):
        pass
    assert names(tmp_path) == set()


def test_without_it_a_stale_one_is_removed(tmp_path):
    partial_of(tmp_path / "x").mkdir()
    (partial_of(tmp_path / "x") / "stale").write_text("1")
    fill(tmp_path / "x", "new")
    assert names(tmp_path / "x") == {"deep", "b"}


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x").symlink_to("elsewhere")
    for text in ("old", "new"):
        fill(tmp_path / "x", text)
        assert content(tmp_path / "elsewhere") == (text, text)
    assert (tmp_path / "x").is_symlink()
    assert names(tmp_path) == {"x", "elsewhere"}


def _killed_at(target, step):
    """Replace `target` and die just before the rename number `step`."""
    replace = os.replace

    def dying(source, destination):
        nonlocal step
        if step == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        step -= 1
        replace(source, destination)

    atomic.os.replace = dying
    fill(target, "new")


@pytest.mark.parametrize(("step", "left"), [(0, "old"), (1, "old"), (2, "new"), (3, "new")])
def test_killed_between_renames_one_of_the_two_is_there_whole(tmp_path, step, left):
    target = tmp_path / "x"
    fill(target, "old")
    process = multiprocessing.get_context("fork").Process(target=_killed_at, args=(target, step))
    process.start()
    process.join()
    assert process.exitcode == (0 if step == 3 else -signal.SIGKILL)
    with stopped(new_folder(target)):
        assert content(target) == (left, left)
    assert content(target) == (left, left)
    assert names(tmp_path) == {"x"}


def test_what_is_left_of_a_removal_does_not_come_back(tmp_path):
    """A kill while the old folder is being removed, and then the user removes the new one."""
    (tmp_path / ".x.gone").mkdir()
    (tmp_path / ".x.gone" / "half").touch()
    with new_folder(tmp_path / "x"):
        assert not (tmp_path / "x").exists()
    assert names(tmp_path / "x") == set()
    assert names(tmp_path) == {"x"}


HOLD = """
import sys
from contextlib import contextmanager
from pathlib import Path
from densecli.io.atomic import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_between_two_processes(tmp_path):
    target = tmp_path / "new" / "x"
    line = [sys.executable, "-c", HOLD, str(target)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ResourceError, match=rf"x: another run \(process {other.pid}\) is writing it"):
            fill(target, "new")
        with locked(target.with_name("y")):
            pass
        other.kill()
    fill(target, "new")
    assert names(target.parent) == {"x"}


def test_a_lock_is_given_back(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "x"), pytest.raises(ResourceError), locked(tmp_path / "x"):
            pass
    assert names(tmp_path) == set()


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "new" / "x.jsonl"
    for text in ("old", "new"):
        with new_file(target) as path:
            path.write_text(text)
            assert target.exists() == (text == "new")
        assert target.read_text() == text
    with stopped(new_file(target)) as path:
        path.write_text("half")
    assert target.read_text() == "new"
    assert names(target.parent) == {"x.jsonl"}


def test_a_link_to_a_file_stays_a_link(tmp_path):
    (tmp_path / "x").symlink_to("y")
    with new_file(tmp_path / "x") as path:
        path.write_text("1")
    assert (tmp_path / "x").is_symlink()
    assert (tmp_path / "y").read_text() == "1"


def test_a_device_or_a_pipe_is_written_not_replaced(tmp_path):
    with new_file(Path(os.devnull)) as path:
        path.write_text("1")
    assert Path(os.devnull).is_char_device()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)
    with new_file(pipe) as path:
        path.write_text("1")
    assert os.read(end, 9) == b"1"
    os.close(end)
    assert names(tmp_path) == {"pipe"}


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    with pytest.raises(UsageError, match="is a folder; name a file"), new_file(tmp_path):
        pass

import multiprocessing
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from densecli.errors import ArtifactError, UsageError
from densecli.files import atomic
from densecli.files.atomic import (
    finish,
    in_the_making,
    new_file,
    partial_of,
    resolve_path,
    restore,
    restore_within,
)
from densecli.files.exchange import exchange
from densecli.files.lock import locked, scratch_of


def new_folder(target, check=in_the_making, **options):
    return atomic.new_folder(target, check, **options)


def fill(target, text, **options):
    with new_folder(target, **options) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_text(text)
        (folder / "b").write_text(text)


def write(target, text):
    with new_file(target) as path:
        path.write_text(text)


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


def test_a_folder_appears_only_when_complete(tmp_path):
    target = tmp_path / "not" / "there" / "yet"
    with new_folder(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert names(target.parent) == {"yet"}
    assert names(target) == {"a"}


def test_a_new_folder_replaces_the_old_one(tmp_path):
    fill(tmp_path / "x", "old")
    (tmp_path / "x" / "only in the old").touch()
    fill(tmp_path / "x", "new")
    assert content(tmp_path / "x") == ("new", "new")
    assert names(tmp_path) == {"x"}
    assert names(tmp_path / "x") == {"deep", "b"}


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_keeps_the_old_folder(tmp_path, failure):
    fill(tmp_path / "x", "old")
    with stopped(new_folder(tmp_path / "x"), failure) as folder:
        (folder / "b").write_text("new")
    assert content(tmp_path / "x") == ("old", "old")
    assert names(tmp_path) == {"x"}


def test_unfinished_work_is_kept_on_request(tmp_path):
    target = tmp_path / "x"
    with stopped(new_folder(target, keep_partial=True)) as folder:
        (folder / "half").write_text("1")
    with new_folder(target, keep_partial=True) as folder:
        assert names(folder) == {"half"}
    assert names(target) == {"half"}
    assert names(tmp_path) == {"x"}


def test_an_empty_unfinished_folder_is_removed(tmp_path):
    with stopped(new_folder(tmp_path / "x", keep_partial=True)):
        pass
    assert names(tmp_path) == set()


def unfinished(target, **files):
    """Leave what a run leaves that is killed."""
    with locked(target):
        partial_of(target).mkdir(parents=True)
        for name, text in files.items():
            (partial_of(target) / name).write_text(text)


def test_unfinished_work_is_removed_by_default(tmp_path):
    unfinished(tmp_path / "x", stale="1")
    fill(tmp_path / "x", "new")
    assert names(tmp_path / "x") == {"deep", "b"}


def test_a_link_is_never_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x").symlink_to("elsewhere")
    (tmp_path / "y").symlink_to("nothing")
    for name in ("x", "y"):
        with pytest.raises(ArtifactError, match=f"{name}: is a symbolic link"):
            fill(tmp_path / name, "new")
        with pytest.raises((ArtifactError, UsageError)), new_file(tmp_path / name):
            pass
    assert names(tmp_path) == {"x", "y", "elsewhere"}
    assert names(tmp_path / "elsewhere") == set()


def test_a_resolved_link_is_kept_and_its_target_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x").symlink_to("elsewhere")
    for text in ("old", "new"):
        fill(resolve_path(tmp_path / "x"), text)
        assert content(tmp_path / "elsewhere") == (text, text)
    assert (tmp_path / "x").is_symlink()
    assert names(tmp_path) == {"x", "elsewhere"}


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "x").symlink_to("x")
    with pytest.raises(UsageError, match="leads nowhere"):
        resolve_path(tmp_path / "x")


@pytest.mark.parametrize("inside", ["", "lock", "work"])
@pytest.mark.parametrize("make", [fill, write])
def test_no_link_in_the_scratch_folder_is_followed(tmp_path, inside, make):
    """As a repository may have them: git keeps symbolic links."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis").write_text("densecli 1")
    scratch = scratch_of(tmp_path / "x")
    if inside:
        unfinished(tmp_path / "x", half="1")
        atomic.remove(scratch / inside)
        (scratch / inside).symlink_to(precious / "thesis" if inside == "lock" else precious)
    else:
        scratch.symlink_to(precious)
    with suppress(ArtifactError):
        make(tmp_path / "x", "new")
    assert names(precious) == {"thesis"}
    assert (precious / "thesis").read_text() == "densecli 1"


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_unfinished_work_that_contains_a_link_starts_over(tmp_path, link):
    (tmp_path / "thesis").write_text("precious")
    unfinished(tmp_path / "x", half="1")
    link(tmp_path / "thesis", partial_of(tmp_path / "x") / "linked")
    with new_folder(tmp_path / "x", keep_partial=True) as folder:
        assert names(folder) == set()
        (folder / "linked").write_text("new")
    assert (tmp_path / "thesis").read_text() == "precious"


@pytest.mark.parametrize("found", ["a file", "a folder", "a lock of something else"])
def test_files_of_the_user_with_the_scratch_name_are_kept(tmp_path, found):
    scratch = scratch_of(tmp_path / "x")
    if found == "a file":
        scratch.write_text("precious")
    else:
        (scratch / "work").mkdir(parents=True)
        (scratch / "work" / "a").write_text("precious")
        if "lock" in found:
            (scratch / "lock").write_text("4711")
    before = {path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")}
    for make in (new_folder, new_file):
        with pytest.raises(ArtifactError, match="did not make what is there"), make(tmp_path / "x"):
            pass
    assert {path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")} == before


def refuse(folder):
    raise ArtifactError(f"{folder}: precious")


@pytest.mark.parametrize("swaps", [True, False])
def test_a_folder_that_appears_during_the_work_is_checked(tmp_path, monkeypatch, swaps):
    if not swaps:
        monkeypatch.setattr(atomic, "exchange", lambda *_: False)
    with pytest.raises(ArtifactError, match="precious"), new_folder(tmp_path / "x", refuse) as folder:
        (folder / "a").write_text("new")
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "thesis").write_text("1")
    assert names(tmp_path / "x") == {"thesis"}
    assert names(tmp_path) == {"x"}


CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "ctypes.call_function"}


def _killed_at(target, step, swaps, file):
    """Replace `target` and die just before its change number `step` to the disk."""
    exchange(target, target)  # so that only the exchange itself is counted
    if not swaps:
        atomic.exchange = lambda *_: False

    def die(event, _):
        nonlocal step
        if event in CHANGES or event == "open":
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            step -= 1

    sys.addaudithook(die)
    if file:
        with new_file(target) as path:
            path.write_text("new")
    else:
        fill(target, "new")


@pytest.mark.parametrize("swaps", [True, False])
def test_after_a_kill_the_old_or_the_new_folder_is_complete(tmp_path, swaps):
    status, step, found = None, 0, []
    while status != 0:
        target = tmp_path / str(step) / "x"
        fill(target, "old")
        status = _in_a_fork(target, step, swaps, False)
        restore(target)
        assert content(target) in {("old", "old"), ("new", "new")}
        found.append(content(target)[0])
        fill(target, "newer")
        assert content(target) == ("newer", "newer")
        assert names(target.parent) == {"x"}
        step += 1
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


def test_after_a_kill_a_file_is_the_old_or_the_new_one(tmp_path):
    status, step, found = None, 0, set()
    while status != 0:
        target = tmp_path / str(step) / "x"
        target.parent.mkdir()
        target.write_text("old")
        status = _in_a_fork(target, step, True, True)
        found.add(target.read_text())
        with new_file(target) as path:
            path.write_text("newer")
        assert names(target.parent) == {"x"}
        step += 1
    assert found == {"old", "new"}


def _in_a_fork(*arguments):
    process = multiprocessing.get_context("fork").Process(target=_killed_at, args=arguments)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode


def test_a_reader_waits_for_a_replacement_in_progress(tmp_path, monkeypatch):
    """Where the system can't swap folders there is a moment without one."""
    fill(tmp_path / "x", "old")
    with locked(tmp_path / "x"):
        (tmp_path / "x").rename(scratch_of(tmp_path / "x") / "old")
        with multiprocessing.get_context("fork").Pool(1) as pool:
            reading = pool.apply_async(_read_restored, [tmp_path / "x"])
            time.sleep(0.5)
            assert not reading.ready()
            shutil.copytree(scratch_of(tmp_path / "x") / "old", tmp_path / "x")
            assert reading.get(20) == ("old", "old")
            atomic.remove(scratch_of(tmp_path / "x") / "old")
    assert names(tmp_path) == {"x"}


def _read_restored(target):
    restore(target)
    return content(target)


def test_all_interrupted_replacements_in_a_workspace_are_restored(tmp_path):
    for target in (tmp_path / "passages", tmp_path / "examples" / "nq"):
        fill(target, "old")
        with locked(target):
            target.rename(scratch_of(target) / "old")
    restore_within(tmp_path)
    assert content(tmp_path / "passages") == content(tmp_path / "examples" / "nq") == ("old", "old")
    assert names(tmp_path) == {"passages", "examples"}


def test_complete_work_of_an_interrupted_run_is_moved_into_place(tmp_path):
    target = tmp_path / "x"
    assert not finish(target, lambda _: True, refuse)
    unfinished(target, manifest="1")
    assert not finish(target, lambda _: False, refuse)
    assert names(tmp_path) == {".x.partial"}
    assert finish(target, lambda work: names(work) == {"manifest"}, refuse)
    assert names(target) == {"manifest"}
    assert names(tmp_path) == {"x"}


def test_remains_of_a_removed_folder_are_not_restored(tmp_path):
    """A kill while the old folder is being removed, and then the user removes the new one."""
    with locked(tmp_path / "x"):
        (scratch_of(tmp_path / "x") / "gone").mkdir()
        (scratch_of(tmp_path / "x") / "gone" / "half").touch()
    with new_folder(tmp_path / "x"):
        assert not (tmp_path / "x").exists()
    assert names(tmp_path / "x") == set()
    assert names(tmp_path) == {"x"}


def test_two_paths_are_exchanged(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("b")
    folder, file = ("b", "a") if exchange(tmp_path / "a", tmp_path / "b") else ("a", "b")
    assert (tmp_path / folder).is_dir()
    assert (tmp_path / file).read_text() == "b"
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "c")


def test_a_file_appears_only_when_complete(tmp_path):
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


def test_a_resolved_link_to_a_file_stays_a_link(tmp_path):
    (tmp_path / "x").symlink_to("y")
    with new_file(resolve_path(tmp_path / "x")) as path:
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

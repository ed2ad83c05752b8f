import errno
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
import typer

from densecli.cli.guard import end, status_of
from densecli.cli.terminal import Terminal
from densecli.errors import (
    ArtifactError,
    DenseError,
    ExitStatus,
    FieldError,
    InputError,
    ResourceError,
    ThresholdError,
    UpToDate,
    UsageError,
)


def os_error(number, name="place"):
    return OSError(number, "what it says", name)


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UsageError("u"), 2, "u"),
        (InputError("f", 3, "what", "that"), 3, "f:3: what; expected that"),
        (InputError("f", None, "what"), 3, "f: what"),
        (ArtifactError("a"), 4, "a"),
        (ResourceError("r"), 5, "r"),
        (ThresholdError("t"), 6, "t"),
        (KeyboardInterrupt(), 130, "interrupted; finished work is kept, run the same command to resume"),
        (UpToDate(Path("x")), 0, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, ""),
        (os_error(errno.ENOSPC), 5, "place: no space left; make room, or choose another place"),
        (os_error(errno.EFBIG), 5, "place: no space left"),
        (os_error(errno.EDQUOT), 5, "place: no space left"),
        (OSError(errno.ENOSPC, "no place is named"), 5, "the disk: no space left"),
        (os_error(errno.EACCES), 5, "place: what it says; choose another place, or change who may"),
        (os_error(errno.EROFS), 5, "place: what it says; choose another place"),
        (os_error(errno.ENOTDIR), 5, "place: what it says; check the path and the disk"),
        (os_error(errno.ENAMETOOLONG), 5, "place: what it says"),
        (os_error(errno.EIO), 5, "place: what it says"),
        (OSError("12 requested and 5 written"), 5, "the disk: no space left"),
        (os_error(errno.EMFILE), 5, "what it says; raise the limit of open files with ulimit -n"),
        (MemoryError(), 5, "not enough memory"),
        (ImportError("libx.so: failed to map segment from shared object"), 5, "not enough memory"),
        (RuntimeError("can't start new thread"), 5, "not enough memory"),
        (pa.ArrowException("Unknown error: Failed to launch worker thread: x"), 5, "not enough memory"),
        (pa.ArrowMemoryError("malloc of size 9 failed"), 5, "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory."), 5, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."), 5, "not enough memory"),
        (typer.BadParameter("no good."), 2, "Invalid value: no good; see `densecli --help`"),
        (DenseError("d"), 1, "d"),
        (FieldError("w", "e"), 1, "unexpected FieldError: w; expected e (run with -v for the traceback)"),
        (RuntimeError("r"), 1, "unexpected RuntimeError: r"),
        (KeyError("k"), 1, "unexpected KeyError: 'k'"),
    ],
)
def test_every_failure_has_its_exit_code_and_message(error, status, line):
    found, told = status_of(error)
    assert found == status
    assert told.startswith(line)
    assert bool(told) == bool(line)


def test_a_failed_allocation_of_numpy_is_a_resource_error():
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 60, np.uint8)
    assert status_of(caught.value)[0] is ExitStatus.RESOURCES


def test_an_error_is_always_one_line(capsys):
    assert end(ArtifactError("faiss says\n  in a file\u2028 and more"), Terminal()) == 4
    assert capsys.readouterr() == ("", "error: faiss says   in a file  and more\n")


def test_quiet_hides_messages_but_no_error(capsys):
    assert end(UpToDate(Path("x")), Terminal()) == 0
    assert capsys.readouterr() == ("", "")
    assert end(UsageError("u"), Terminal(quiet=True)) == 2
    assert capsys.readouterr() == ("", "error: u\n")


def test_a_traceback_is_shown_on_request(capsys):
    for error, shown in ((ValueError("v"), True), (OSError(errno.EIO, "io"), True), (UsageError("u"), False)):
        end(error, Terminal(verbose=True))
        assert (type(error).__name__ + ": " in capsys.readouterr().err.partition("\n")[2]) == shown
        end(error, Terminal())
        assert "\n" not in capsys.readouterr().err.rstrip("\n")

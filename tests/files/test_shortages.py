"""What a machine lacks is reported as that, and not as a damaged file."""

import errno
import os
import resource
from contextlib import contextmanager

import pytest

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.errors import ArtifactError, ResourceError
from densecli.files import memory
from densecli.files.atomic import new_file, new_folder
from densecli.files.shortages import named_if_full
from densecli.lexical.stored import open_index
from densecli.records import Passage


@contextmanager
def no_more_files():
    """Let this process open no other file."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_too_many_open_files_are_not_reported_as_damaged_passages(tmp_path):
    _, fingerprint = write_passages(tmp_path, [Passage("1", "", "a")], "x")
    with no_more_files(), pytest.raises(OSError, match="Too many open files"):
        PassageStore(tmp_path, fingerprint)
    with pytest.raises(ArtifactError, match="not readable"):
        PassageStore(tmp_path / "elsewhere", fingerprint)


def test_too_many_open_files_are_not_reported_as_a_damaged_bm25_index(tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    with no_more_files(), pytest.raises(OSError, match="Too many open files"):
        open_index(tmp_path)
    with pytest.raises(ArtifactError, match="no BM25 index"):
        open_index(tmp_path / "elsewhere")


def full(*name):
    raise OSError(errno.ENOSPC, "No space left on device", *name)


def test_an_error_of_a_full_disk_names_the_output(tmp_path):
    with pytest.raises(OSError) as error, new_file(tmp_path / "out.jsonl"):
        full()
    assert error.value.filename == str(tmp_path / "out.jsonl")
    with pytest.raises(OSError) as error, new_folder(tmp_path / "store", lambda _: None):
        full()
    assert error.value.filename == str(tmp_path / "store")


def test_an_error_with_a_file_name_or_another_reason_is_unchanged():
    with pytest.raises(OSError) as error, named_if_full("target"):
        full("elsewhere")
    assert error.value.filename == "elsewhere"
    with pytest.raises(OSError) as error, named_if_full("target"):
        raise OSError(errno.EIO, "Input/output error")
    assert error.value.filename is None


def test_too_little_address_space_is_reported_before_libraries_crash(monkeypatch):
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (600 << 20, resource.RLIM_INFINITY))
    with pytest.raises(ResourceError, match="limited to 600 MiB; raise the limit to 1,024"):
        memory.check_address_space()
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (1 << 30, resource.RLIM_INFINITY))
    memory.check_address_space()

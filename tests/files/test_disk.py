import os
import resource

import pytest

from cli.test_bad_places import files_of_at_most, small_disk
from densecli.files.disk import reserve


@pytest.fixture(params=["by the system", "not supported", "no such call"])
def _way(request, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    if request.param == "not supported":
        monkeypatch.setattr(os, "posix_fallocate", refuse)
    elif request.param == "no such call":
        monkeypatch.delattr(os, "posix_fallocate")


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("size", [1, 3_000_000])
def test_disk_space_is_reserved(tmp_path, size):
    with open(tmp_path / "x", "wb") as stream:
        reserve(stream.fileno(), size)
        assert os.fstat(stream.fileno()).st_blocks * 512 >= size
    assert (tmp_path / "x").read_bytes() == bytes(size)


@pytest.mark.usefixtures("_way")
def test_a_full_disk_is_detected_before_writing(tmp_path):
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        place = disk or tmp_path
        most = resource.RLIM_INFINITY if disk else 1000
        with files_of_at_most(most), open(place / "x", "wb") as stream, pytest.raises(OSError):
            reserve(stream.fileno(), 100_000)

import bz2
import gzip
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.errors import InputError
from densecli.files import line_blocks as slabs
from densecli.files.jsonl import read_lines
from densecli.files.line_blocks import LineBlock, read_slabs

CONTENT = st.lists(
    st.sampled_from(["a", "bb c", "\n", "\r\n", " ", "\t\r", "\v", "\r", "é"]), max_size=40
).map(lambda parts: "".join(parts).encode())


def lines(path):
    return [line for slab in read_slabs(path) for line in pickle.loads(pickle.dumps(slab))]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(slabs, "SLAB", 8)


@given(content=CONTENT, size=st.integers(1, 12), bom=st.booleans())
def test_blocks_give_the_same_lines_as_a_line_reader(tmp_path_factory, content, size, bom):
    path = tmp_path_factory.getbasetemp() / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" * bom + b"{}\n" + content)
    before, slabs.SLAB = slabs.SLAB, size
    try:
        assert lines(str(path)) == list(read_lines(str(path)))
    finally:
        slabs.SLAB = before


@given(content=CONTENT, first=st.integers(1, 9))
def test_the_length_of_a_block_is_its_number_of_lines(content, first):
    slab = LineBlock(first, content)
    assert len(slab) == len(list(slab))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("name", "pack"), [("x", bytes), ("x.gz", gzip.compress), ("x.bz2", bz2.compress)])
def test_slabs_contain_whole_lines(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(b"one\ntwo\n\n\nthree\nfour is long\n5"))
    found = list(read_slabs(str(tmp_path / name)))
    assert b"".join(slab.data for slab in found) == b"one\ntwo\n\n\nthree\nfour is long\n5"
    assert all(slab.data.endswith(b"\n") for slab in found[:-1])
    assert [line for slab in found for line in slab] == [
        (1, b"one"), (2, b"two"), (5, b"three"), (6, b"four is long"), (7, b"5")
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"\n \r\n\t", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match="x: is empty; expected at least one record"):
        lines(str(tmp_path / "x"))


def test_lines_before_a_broken_part_are_returned(tmp_path):
    rows = [f"line {number * 7919 % 10007}".encode() for number in range(5000)]
    packed = gzip.compress(b"\n".join(rows))
    (tmp_path / "x.gz").write_bytes(packed[: len(packed) // 2])
    found = []
    with pytest.raises(InputError, match="the gzip stream is cut off"):
        for slab in read_slabs(str(tmp_path / "x.gz")):
            found += [line for _, line in slab]
    assert 1000 < len(found) < 4000
    assert found == rows[: len(found)]


@pytest.mark.usefixtures("small")
def test_a_line_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(slabs, "LINE_LIMIT", 20)
    (tmp_path / "x").write_bytes(b"short\n" + b"x" * 20 + b"\n" + b"y" * 21 + b"\nz\n")
    stream = read_slabs(str(tmp_path / "x"))
    assert [line for line in next(stream)] == [(1, b"short")]
    assert [line for line in next(stream)] == [(2, b"x" * 20)]
    with pytest.raises(InputError, match=r"x:3: a line of more than 0 MiB"):
        list(stream)


def test_utf16_is_refused(tmp_path):
    (tmp_path / "x").write_bytes("{}\n".encode("utf-16"))
    with pytest.raises(InputError, match="is UTF-16"):
        lines(str(tmp_path / "x"))

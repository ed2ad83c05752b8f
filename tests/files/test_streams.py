import bz2
import gzip
import io
import lzma
import random

import pyarrow as pa
import pytest

from densecli.errors import InputError
from densecli.files import streams
from densecli.files.streams import lines, open_bytes, pack_stream, packing

TEXT = b"one\ntwo\r\n\nthree"
PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def write(folder, name, data):
    (folder / name).write_bytes(data)
    return str(folder / name)


def read(path):
    with open_bytes(path) as stream:
        return stream.read()


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("named", [True, False])
def test_one_or_several_compressed_streams_are_read_under_any_name(tmp_path, ending, named):
    parts = PACK[ending](TEXT) + PACK[ending](b"") + PACK[ending](TEXT)
    path = write(tmp_path, "x" + ending * named, parts)
    assert read(path) == TEXT + TEXT
    assert packing(path) == ending * named


@pytest.mark.parametrize("ending", PACK)
def test_data_before_a_broken_part_is_read(tmp_path, ending):
    noise = random.Random(0).randbytes(3_000_000)
    path = write(tmp_path, "x" + ending, PACK[ending](noise)[:-1000])
    got = b""
    with (
        pytest.raises(InputError, match=r"stream is cut off or broken; expected the whole file"),
        open_bytes(path) as stream,
    ):
        while piece := stream.read1(1 << 16):
            got += piece
    assert noise.startswith(got)
    assert len(got) > 1_500_000


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.gz", TEXT, "not gzip data"),
        ("x.bz2", TEXT, "not bzip2 data, or damaged"),
        ("x.bz2", bz2.compress(TEXT)[:-4], "the bzip2 stream is cut off or broken"),
        ("x.bz2", bz2.compress(TEXT)[:20] + bytes(30), "not bzip2 data, or damaged"),
        ("x.gz", gzip.compress(TEXT, mtime=0)[:-4], "the gzip stream is cut off or broken"),
        ("x", gzip.compress(TEXT, mtime=0)[:-4], "the gzip stream is cut off or broken"),
        ("x", lzma.compress(TEXT)[:-4], "the xz stream is cut off or broken"),
        ("x.xz", b"{}", "not xz data, or damaged"),
        ("x", pa.compress(TEXT, "zstd", asbytes=True)[:-4], "the zstd stream is cut off or broken"),
        ("x.zst", b"{}", "not zstd data, or damaged"),
    ],
)
def test_a_broken_stream_is_named(tmp_path, name, data, message):
    path = write(tmp_path, name, data)
    with pytest.raises(InputError, match=rf"^{path}: {message}"):
        read(path)


@pytest.mark.parametrize("pack", [bytes, *PACK.values()])
def test_standard_input_may_be_compressed(monkeypatch, pack):
    data = io.BufferedReader(io.BytesIO(pack(TEXT)))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    assert read("-") == TEXT


def test_a_byte_order_mark_at_the_start_is_removed():
    assert list(lines(io.BytesIO(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\r\n\nc"), "x")) == [
        b"a\n", b"\xef\xbb\xbfb\r\n", b"\n", b"c"
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_reported(encoding):
    data = ("\ufeff" * (encoding != "utf-16") + "a\nb").encode(encoding)
    with pytest.raises(InputError, match=r"^x: is UTF-16; expected UTF-8 text \(iconv -f UTF-16 -t UTF-8"):
        list(lines(io.BytesIO(data), "x"))


def test_an_endless_line_is_refused_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(streams, "LINE_LIMIT", 1 << 20)
    found = lines(io.BytesIO(b"a\n" + b"b" * (1 << 20) + b"\n" + b"c" * (1 << 22)), "x")
    assert next(found) == b"a\n"
    with pytest.raises(InputError, match=r"^x:2: a line of more than 1 MiB; expected records in lines$"):
        next(found)


def test_a_line_of_ten_megabytes_is_read(tmp_path):
    path = write(tmp_path, "x.gz", gzip.compress(b"x" * 10_000_000 + b"\ny"))
    with open_bytes(path) as stream:
        assert [len(line) for line in lines(stream, path)] == [10_000_001, 1]


@pytest.mark.parametrize("ending", ["", *PACK])
def test_a_compressed_file_survives_a_round_trip(tmp_path, ending):
    path = tmp_path / f"x.jsonl{ending}"
    with open(path, "wb") as file, pack_stream(file, path.name) as stream:
        stream.writelines([TEXT, TEXT])
        stream.flush()
        stream.write(TEXT)
    assert (path.read_bytes() == TEXT * 3) == (ending == "")
    with open_bytes(str(path)) as stream:
        assert stream.read() == TEXT * 3

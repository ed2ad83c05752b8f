"""What has arrived through a pipe, and what has not."""

import os
import socket

import pytest

from densecli.batches import batched
from densecli.files.arrivals import ArrivalReader, forget, has_arrived, watch
from densecli.files.streams import open_bytes


@pytest.fixture
def pipe():
    """Both ends of a pipe, as files."""
    ours, theirs = os.pipe()
    with open(ours, "rb") as reading, open(theirs, "wb", buffering=0) as writing:
        yield reading, writing


def test_a_line_has_arrived_when_it_is_complete_and_not_blank(pipe):
    reading, writing = pipe
    stream = watch(reading)
    for part, arrived in ((b"", False), (b"one", False), (b" line", False)):
        writing.write(part)
        assert stream.has_arrived() == arrived
    writing.write(b"\nmore\n")
    assert stream.readline() == b"one line\n"
    assert stream.has_arrived()
    assert stream.readline() == b"more\n"
    writing.write(b"\n \r\n")
    assert not stream.has_arrived()
    writing.write(b"last")
    writing.close()
    assert stream.read() == b"\n \r\nlast"
    assert not stream.has_arrived()


def test_data_read_earlier_is_not_lost(pipe):
    reading, writing = pipe
    writing.write(b"one\ntwo\n")
    assert reading.peek(1)
    stream = watch(reading)
    assert stream.read(8) == b"one\ntwo\n"
    assert not stream.has_arrived()


def test_more_data_than_the_buffer_size_is_read(pipe):
    reading, writing = pipe
    stream = ArrivalReader(reading)
    line = b"x" * 999 + b"\n"
    for _ in range(3000):
        writing.write(line)
        assert stream.has_arrived()
        assert stream.readline() == line


def test_a_regular_file_has_always_arrived(tmp_path):
    (tmp_path / "lines.txt").write_bytes(b"one\n")
    with open_bytes(str(tmp_path / "lines.txt")) as stream:
        assert not isinstance(stream, ArrivalReader)
        assert has_arrived(str(tmp_path / "lines.txt"))


def test_arrival_is_known_only_while_reading_lines(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    os.write(held, b"one\n")
    with open_bytes(path) as stream:
        assert has_arrived(path)
        assert stream.readline() == b"one\n"
        assert not has_arrived(path)
        forget(path)
        assert has_arrived(path)
    os.close(held)
    assert has_arrived(path)


def test_a_socket_is_read_as_a_stream():
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as reading:
        stream = watch(reading)
        assert not stream.has_arrived()
        theirs.sendall(b"one\n")
        assert stream.has_arrived()


def test_a_batch_contains_the_items_that_have_arrived():
    arrived = iter([True, False, True, True, False, True, True])
    assert list(batched(range(7), 3, lambda: next(arrived))) == [[0, 1], [2, 3, 4], [5], [6]]
    assert list(batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batched([], 3, lambda: True)) == list(batched([], 3)) == []

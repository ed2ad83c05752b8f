import numpy as np
import pytest

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.configs.corpus import EmbedConfig
from densecli.encoders.embed import WINDOW, embed
from densecli.encoders.encoding import Part
from densecli.records import Passage

ROWS = 2 * WINDOW + 300


class Lengths:
    """An encoder in batches of three: a vector tells its passage and the size of the window."""

    def __init__(self):
        self.sizes = []

    def encode_windows(self, windows):
        for number, passages in enumerate(windows):
            self.sizes.append(len(passages))
            backwards = np.arange(len(passages))[::-1]
            for rows in np.array_split(backwards, -(-len(passages) // 3)):
                vectors = np.array([[float(passages[row].id), len(passages)] for row in rows])
                yield Part(number, rows, vectors, tokens=2 * len(rows))


def finished(steps):
    return [step.finished for step in steps if step.finished is not None]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    _, fingerprint = write_passages(folder, (Passage(str(row), "", "x") for row in range(ROWS)), "test")
    return PassageStore(folder, fingerprint)


def test_an_interrupted_run_loses_at_most_one_window():
    """A file that holds more than a window is an hour of work on a slow machine."""
    assert EmbedConfig().shard_rows == WINDOW


@pytest.mark.parametrize("shard_rows", [256, 1000, WINDOW, 3 * WINDOW])
@pytest.mark.parametrize("first", [0, 1])
def test_pieces_are_consecutive_within_shards(store, shard_rows, first):
    steps = list(embed(store, Lengths(), EmbedConfig(shard_rows=shard_rows), first * shard_rows))
    pieces = finished(steps)
    rows = [row for row, vectors in pieces for row in range(row, row + len(vectors))]
    assert rows == list(range(first * shard_rows, ROWS))
    assert [int(vector[0]) for _, vectors in pieces for vector in vectors] == rows
    for row, vectors in pieces:
        assert vectors.dtype == np.float32
        assert len(vectors) <= WINDOW
        assert row // shard_rows == (row + len(vectors) - 1) // shard_rows


def test_a_resumed_run_makes_the_same_pieces(store):
    whole = finished(embed(store, Lengths(), EmbedConfig(shard_rows=1000)))
    rest = finished(embed(store, Lengths(), EmbedConfig(shard_rows=1000), 3000))
    for (row, vectors), (again, same) in zip(whole[-len(rest) :], rest, strict=True):
        assert row == again
        np.testing.assert_array_equal(vectors, same)


def test_a_finished_run_makes_no_pieces(store):
    assert list(embed(store, Lengths(), EmbedConfig(shard_rows=1000), ROWS)) == []


def test_passages_are_read_one_window_at_a_time(store):
    encoder = Lengths()
    next(embed(store, encoder, EmbedConfig(shard_rows=256)))
    assert encoder.sizes == [256]


def test_progress_reports_passages_and_tokens_of_every_batch(store):
    steps = list(embed(store, Lengths(), EmbedConfig(shard_rows=1000), 3000))
    passages = [step.passages for step in steps]
    assert passages[0] == 3003
    assert passages[-1] == ROWS
    assert passages == sorted(passages)
    assert steps[-1].tokens == 2 * (ROWS - 3000)

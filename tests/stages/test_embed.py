import numpy as np
import pytest

from densecli.configs.corpus import EmbedConfig
from densecli.io.store.passages import PassageStore, write_passages
from densecli.records import Passage
from densecli.stages.embed import WINDOW, embed

ROWS = 2 * WINDOW + 300


class Lengths:
    """An encoder whose vectors tell which passage they belong to, and how many came together."""

    def __init__(self):
        self.sizes = []

    def encode(self, passages):
        self.sizes.append(len(passages))
        return np.array([[float(passage.id), len(passages)] for passage in passages])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    _, fingerprint = write_passages(folder, (Passage(str(row), "", "x") for row in range(ROWS)), "test")
    return PassageStore(folder, fingerprint)


@pytest.mark.parametrize("shard_rows", [256, 1000, WINDOW, 3 * WINDOW])
@pytest.mark.parametrize("first", [0, 1])
def test_pieces_follow_each_other_within_shards(store, shard_rows, first):
    pieces = list(embed(store, Lengths(), EmbedConfig(shard_rows=shard_rows), first * shard_rows))
    rows = [row for row, vectors in pieces for row in range(row, row + len(vectors))]
    assert rows == list(range(first * shard_rows, ROWS))
    assert [int(vector[0]) for _, vectors in pieces for vector in vectors] == rows
    for row, vectors in pieces:
        assert vectors.dtype == np.float32
        assert len(vectors) <= WINDOW
        assert row // shard_rows == (row + len(vectors) - 1) // shard_rows


def test_a_run_that_goes_on_makes_the_same_pieces(store):
    whole = list(embed(store, Lengths(), EmbedConfig(shard_rows=1000)))
    rest = list(embed(store, Lengths(), EmbedConfig(shard_rows=1000), 3000))
    for (row, vectors), (again, same) in zip(whole[-len(rest) :], rest, strict=True):
        assert row == again
        np.testing.assert_array_equal(vectors, same)


def test_nothing_left_to_do(store):
    assert list(embed(store, Lengths(), EmbedConfig(shard_rows=1000), ROWS)) == []


def test_one_piece_at_a_time(store):
    encoder = Lengths()
    next(embed(store, encoder, EmbedConfig(shard_rows=256)))
    assert encoder.sizes == [256]

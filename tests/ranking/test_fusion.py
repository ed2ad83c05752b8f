import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.ranking.fusion import add_weighted, or_lowest, reciprocal_ranks, spread_weights, union

ROWS = st.lists(st.integers(0, 9), max_size=6, unique=True)
PAIRS = st.lists(st.tuples(ROWS, ROWS), min_size=1, max_size=4)


def padded(lists, fill=-1, dtype=np.int64):
    width = max(map(len, lists))
    return np.array([[*one, *[fill] * (width - len(one))] for one in lists], dtype=dtype)


def scores(*lines):
    return np.array(lines, dtype=np.float32)


@given(PAIRS)
def test_a_union_contains_each_row_once_in_order(pairs):
    first, second = zip(*pairs, strict=True)
    expected = [sorted({*one, *other}) for one, other in pairs]
    assert union(padded(first), padded(second)).tolist() == padded(expected).tolist()


def test_a_union_of_empty_lists_is_empty():
    assert union(np.full((2, 3), -1), np.full((2, 1), -1)).shape == (2, 0)
    assert union(np.empty((0, 3), np.int64), np.empty((0, 2), np.int64)).shape == (0, 0)


def test_weights_are_shared_or_set_for_each_question():
    words, dense = scores([1, 2], [3, 4]), scores([10, 20], [30, -40])
    assert add_weighted(words, dense, 0.5).tolist() == [[6, 12], [18, -16]]
    assert add_weighted(words, dense, scores([1], [0])).tolist() == [[11, 22], [3, 4]]
    assert add_weighted(words, dense, 0.1).dtype == np.float32


@given(st.integers(2, 300), st.floats(0.01, 100), st.floats(-50, 50), st.integers(0, 1000))
def test_the_spread_weight_does_not_depend_on_the_scale_of_scores(passages, scale, shift, seed):
    words, dense = np.random.default_rng(seed).standard_normal((2, 1, passages)).astype(np.float32)
    rows = np.arange(passages)[None]
    ((weight,),) = spread_weights(rows, words, dense)
    expected = 1.5 * np.std(sorted(words[0])[-100:]) / np.std(sorted(dense[0])[-100:])
    assert weight == pytest.approx(expected, rel=1e-4)
    ((other,),) = spread_weights(rows, words, (scale * dense + shift).astype(np.float32))
    assert other * scale == pytest.approx(expected, rel=1e-2)


def test_the_spread_ignores_missing_passages():
    rows = np.array([[4, 7, -1]])
    assert spread_weights(rows, scores([3, 1, 99]), scores([2, 6, -99])).tolist() == [[0.75]]


@pytest.mark.parametrize(
    ("words", "dense"),
    [([0, 0, 0], [1, 2, 3]), ([1, 2, 3], [0.1, 0.1, 0.1]), ([0.3] * 3, [0.1] * 3), ([1], [2]), ([], [])],
)
def test_a_list_with_equal_scores_gets_weight_1(words, dense):
    rows = np.arange(len(words))[None]
    assert spread_weights(rows, scores(words), scores(dense)).tolist() == [[1.0]]


@given(PAIRS, st.integers(0, 1000))
def test_a_passage_missing_from_a_list_gets_its_lowest_score(pairs, seed):
    wanted, found = zip(*pairs, strict=True)
    values = [np.random.default_rng(seed).integers(-5, 6, len(one)).tolist() for one in found]
    filled = or_lowest(padded(wanted), padded(found), padded(values, -99, np.float32))
    for its, rows, its_values, line in zip(wanted, found, values, filled, strict=True):
        by_row = dict(zip(rows, its_values, strict=True))
        assert line[: len(its)].tolist() == [by_row.get(row, min(its_values, default=0)) for row in its]


@given(PAIRS)
def test_reciprocal_rank_fusion_follows_its_definition(pairs):
    wanted, found = zip(*pairs, strict=True)
    for its, rows, line in zip(wanted, found, reciprocal_ranks(padded(wanted), padded(found)), strict=True):
        expected = [1 / (61 + rows.index(row)) if row in rows else 0 for row in its]
        np.testing.assert_allclose(line[: len(its)], expected, rtol=1e-6)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from densecli.ranking.order import rank_by_score

HITS = st.lists(
    st.tuples(st.integers(-1, 20), st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0])), min_size=1, max_size=12
)


def test_hits_are_sorted_by_score_then_row():
    rows = np.array([[5, -1, 3, 9, 1], [2, 1, 0, -1, -1]])
    scores = np.array([[1, 9, 1, 2, -4], [0, 0, 0, -9, 7]], dtype=np.float32)
    found_rows, found_scores = rank_by_score(rows, scores)
    assert found_rows.tolist() == [[9, 3, 5, 1, -1], [0, 1, 2, -1, -1]]
    assert found_scores.tolist() == [[2, 1, 1, -4, 9], [0, 0, 0, -9, 7]]


@given(HITS)
def test_the_order_matches_the_naive_version(hits):
    rows, scores = (np.array([column]) for column in zip(*hits, strict=True))
    found = list(
        zip(*(part[0].tolist() for part in rank_by_score(rows, scores.astype(np.float32))), strict=True)
    )
    there = sorted((hit for hit in hits if hit[0] >= 0), key=lambda hit: (-hit[1], hit[0]))
    assert found[: len(there)] == there
    assert all(row == -1 for row, _ in found[len(there) :])


def test_no_questions_give_no_hits():
    rows, scores = rank_by_score(np.empty((0, 3), np.int64), np.empty((0, 3), np.float32))
    assert rows.shape == scores.shape == (0, 3)

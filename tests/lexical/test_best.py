import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import densecli.lexical.best as module
from densecli.lexical.best import Term, best

PASSAGES = 300
SATURATION = np.array([0.25, 0.5, 0.55, 0.7], np.float32)


def term(rows, grades, weight):
    grades = np.array(grades[: len(rows)], np.uint8)
    values = SATURATION[grades] * np.float32(weight)
    return Term(
        np.array(rows, np.int32), grades, SATURATION, np.float32(weight), float(values.max(initial=0))
    )


@st.composite
def questions(draw):
    """Terms with few different weights, so that many passages score alike."""
    terms = []
    for _ in range(draw(st.integers(1, 6))):
        size = draw(st.sampled_from([1, 3, 30, 200, PASSAGES]))
        random = np.random.default_rng(draw(st.integers(0, 1000)))
        rows = np.sort(random.choice(PASSAGES, size, replace=False))
        terms.append(term(rows, random.integers(0, 4, size), draw(st.sampled_from([0.1, 0.5, 1.0, 4.0]))))
    return sorted(terms, key=lambda term: -term.most)


def all_scores(terms):
    """Every passage's score, added up one term at a time."""
    totals = np.zeros(PASSAGES, np.float32)
    for its in terms:
        totals[its.rows] += its.scores()
    return totals


@pytest.mark.parametrize("window", [1 << 19, 100, 7])
@settings(deadline=None)
@given(terms=questions(), k=st.sampled_from([1, 2, 5, 20, 400]))
def test_the_best_hits_match_a_full_sum(window, terms, k):
    totals = all_scores(terms)
    expected = np.lexsort((np.arange(PASSAGES), -totals))[:k]
    expected = expected[totals[expected] > 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW", window)
        rows, scores = best(terms, k, PASSAGES, np.empty(min(window, PASSAGES), np.float32))
    assert rows.tolist() == expected.tolist()
    np.testing.assert_array_equal(scores, totals[expected])


def test_common_terms_are_read_only_where_they_can_change_the_result(monkeypatch):
    added = []
    monkeypatch.setattr(Term, "scores", lambda self: added.append(len(self.rows)) or SATURATION[self.grades])
    rare = term(np.arange(0, PASSAGES, 30), [3] * 10, 1.0)
    common = term(np.arange(PASSAGES), [0] * PASSAGES, 1.0)
    rows, _ = best([rare, common], 2, PASSAGES, np.empty(PASSAGES, np.float32))
    assert rows.tolist() == [0, 30]
    assert added == [10]


def test_scores_of_given_passages_are_found_for_a_term():
    its = term([2, 5, 9], [0, 1, 3], 2.0)
    assert its.scores_of(np.array([9, -1, 2, 3, 100], np.int32)).tolist() == pytest.approx(
        [1.4, 0, 0.5, 0, 0]
    )
    assert its.within(3, 9).rows.tolist() == [5]


def test_without_terms_there_are_no_hits():
    rows, scores = best([], 3, PASSAGES, np.empty(PASSAGES, np.float32))
    assert len(rows) == len(scores) == 0

"""Intervals and tests agree with SciPy on the same data."""

import numpy as np
import pytest
from scipy import stats

from densecli.evaluation.accuracy import QuestionScore, QuestionScores
from densecli.evaluation.compare import compare, shared_order
from densecli.evaluation.significance import bootstrap_interval, holm, paired_test

RANDOM = np.random.default_rng(5)
HITS = (RANDOM.random(300) < 0.7).astype(float)
OTHER = np.where(RANDOM.random(300) < 0.85, HITS, 1 - HITS)
GRADES = np.round(RANDOM.beta(2, 3, 200), 3)


@pytest.mark.parametrize("values", [HITS, GRADES], ids=["hits", "grades"])
def test_intervals_match_scipy(values: np.ndarray) -> None:
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=9_999, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_interval(values, 10_000, 0)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.004)
    assert ours[0] < values.mean() < ours[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [(HITS, OTHER), (GRADES, np.clip(GRADES + RANDOM.normal(0.01, 0.1, 200), 0, 1)), (HITS[:12], OTHER[:12])],
    ids=["hits", "grades", "few"],
)
def test_p_values_match_scipy(one: np.ndarray, other: np.ndarray) -> None:
    theirs = stats.permutation_test(
        (one, other),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(1),
    ).pvalue
    assert paired_test(one, other, 20_000, 0) == pytest.approx(theirs, abs=0.012)


def test_equal_runs_do_not_differ_and_opposite_ones_do() -> None:
    assert paired_test(HITS, HITS, 1000, 0) == 1.0
    assert paired_test(np.ones(50), np.zeros(50), 1000, 0) == pytest.approx(1 / 1001)


def test_the_same_seed_gives_the_same_numbers_for_any_batch_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = bootstrap_interval(GRADES, 1000, 3), paired_test(HITS, OTHER, 1000, 3)
    assert (bootstrap_interval(GRADES, 1000, 3), paired_test(HITS, OTHER, 1000, 3)) == before
    assert bootstrap_interval(GRADES, 1000, 4) != before[0]
    monkeypatch.setattr("densecli.evaluation.significance.CELLS", 4096)
    assert (bootstrap_interval(GRADES, 1000, 3), paired_test(HITS, OTHER, 1000, 3)) == before


def test_holm_correction_matches_a_calculation_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_p_values_of_all_comparisons_are_corrected_together() -> None:
    runs = {
        "a": {"top-1": np.zeros(40), "nDCG@10": np.zeros(40)},
        "b": {"top-1": np.ones(40), "nDCG@10": np.full(40, 0.25), "EM": np.ones(40)},
        "c": {"top-1": np.zeros(40)},
    }
    found = compare(runs, [("b", "a"), ("c", "a")], 999, 0)
    assert [(one.run, one.measure, one.difference) for one in found] == [
        ("b", "top-1", 100.0),
        ("b", "nDCG@10", 0.25),
        ("c", "top-1", 0.0),
    ]
    assert [one.p for one in found] == pytest.approx([0.001, 0.001, 1.0])
    assert [one.p_holm for one in found] == pytest.approx([0.003, 0.003, 1.0])
    assert [one.significant for one in found] == [True, True, False]


def scores(*questions: tuple[str, str]) -> QuestionScores:
    return QuestionScores(QuestionScore(one, 1, None, question=text) for one, text in questions)


def test_runs_are_paired_by_question_and_not_by_position() -> None:
    one = scores(("1", "Who is it?"), ("2", "Where?"))
    order = shared_order(one, scores(("2", ""), ("1", "who is it ?")))
    assert order is not None
    assert order.tolist() == [1, 0]
    for other in (
        scores(("1", "Who is it?")),
        scores(("1", "Who is it?"), ("3", "Where?")),
        scores(("1", "Who is it?"), ("2", "When?")),
    ):
        assert shared_order(one, other) is None

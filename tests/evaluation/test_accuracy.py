import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.evaluation.accuracy import QuestionScore, QuestionScores, summarize
from densecli.text.answers import AnswerMatcher

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "has_answer.json").read_text(encoding="utf-8"))


def score(rank, passages=100, exact=None):
    return QuestionScore("q", passages, rank, exact)


def test_agrees_with_the_reference():
    case = GOLDEN["top_k"]
    scores = []
    for number, (answers, (ids, _)) in enumerate(zip(case["answers"], case["closest"], strict=True)):
        matcher = AnswerMatcher(answers)
        hits = [matcher.found_in(case["docs"][name][0] or "") for name in ids]
        assert hits == case["questions_doc_hits"][number]
        scores.append(score(hits.index(True) + 1 if True in hits else None, len(ids)))
    summary = summarize(scores, ks=(1, 2, 3))
    assert [summary.top_k[k] / 100 for k in (1, 2, 3)] == case["accuracy"]


def test_accuracy_matches_a_calculation_by_hand():
    summary = summarize([score(1), score(5), score(6), score(None)])
    assert summary.to_json() == {
        "questions": 4,
        "top_k": {"1": 25.0, "5": 50.0, "20": 75.0, "100": 75.0},
        "exact_match": None,
        "f1": None,
        "measures": {},
        "intervals": {},
        "counts": {},
    }
    assert summary.values() == {"top-1": 25.0, "top-5": 50.0, "top-20": 75.0, "top-100": 75.0}


def test_short_lists_give_no_accuracy_at_a_larger_k():
    summary = summarize([score(1, 20), score(None, 3), score(None, 0)])
    assert set(summary.top_k) == {1, 5, 20}
    assert summary.top_k[20] == pytest.approx(100 / 3)
    assert summary.counts == {"lists_shorter_than_100": 3}


def test_exact_match_counts_every_question():
    assert summarize([score(1, exact=True), score(1, exact=False), score(1)]).exact_match == pytest.approx(
        100 / 3
    )


def test_f1_counts_every_question():
    scores = [
        QuestionScore("a", 1, 1, True, 1.0),
        QuestionScore("b", 1, 1, False, 0.5),
        QuestionScore("c", 0, None),
    ]
    assert (summarize(scores).f1, summarize(scores).exact_match) == (50.0, pytest.approx(100 / 3))


def test_a_curve_has_the_accuracy_at_every_k():
    scores = QuestionScores([score(1, 4), score(3, 4), score(None, 2), score(4, 4)])
    assert scores.accuracies() == [25.0, 25.0, 50.0, 75.0]
    assert QuestionScores([]).accuracies() == []


def test_without_questions_there_is_no_accuracy():
    summary = summarize([])
    assert (summary.questions, summary.top_k, summary.exact_match, summary.counts) == (0, {}, None, {})


@given(st.lists(st.none() | st.integers(1, 100), min_size=1))
def test_accuracy_matches_a_loop_over_questions_and_ranks(ranks):
    summary = summarize([score(rank) for rank in ranks])
    for k, value in summary.top_k.items():
        hits = 0
        for rank in ranks:
            for place in range(1, k + 1):
                hits += rank == place
        assert value == pytest.approx(100 * hits / len(ranks))


def test_without_any_answers_nothing_is_measured():
    unknown = [
        QuestionScore("a", 2, None, judged=False),
        QuestionScore("b", 1, None, False, 0.0, judged=False),
    ]
    summary = summarize(unknown)
    assert (summary.questions, summary.top_k, summary.exact_match, summary.f1) == (2, {}, None, None)
    assert QuestionScores(unknown).accuracies() == []
    one_known = summarize([*unknown, QuestionScore("c", 1, 1)])
    assert round(one_known.top_k[1], 1) == 33.3

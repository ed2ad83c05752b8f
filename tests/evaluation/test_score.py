from collections import Counter
from itertools import islice

import pytest

from densecli.configs.asking import EvaluateConfig
from densecli.errors import InputError
from densecli.evaluation.accuracy import QuestionScore, summarize
from densecli.evaluation.score import evaluate
from densecli.records import Passage, Prediction, Question, RankedList, ScoredPassage, Span

PARIS = Question("q", "capital of France", ("Paris",))


def ranked(*passages, question=PARIS):
    """A ranked list of (text, has_answer) pairs."""
    return RankedList(
        question,
        tuple(
            ScoredPassage(Passage(f"p{place}", "", text), 1.0 / place, hit)
            for place, (text, hit) in enumerate(passages, 1)
        ),
    )


def predicted(answer, question=PARIS):
    spans = (Span(answer, "p1", "", 0, len(answer), 1.0, 1.0),) if answer else ()
    return Prediction(ranked(("", True), question=question), spans)


def run(*records, answer_type=None):
    counts = Counter()
    return list(evaluate(records, EvaluateConfig(answer_type=answer_type), counts)), +counts


def test_answers_are_matched_in_texts():
    scores, counts = run(
        ranked(("London", None), ("in paris.", None), ("Paris", None)), ranked(("Rome", None))
    )
    assert scores == [QuestionScore("q", 3, 2), QuestionScore("q", 1, None)]
    assert counts == {"questions": 2}


def test_an_existing_has_answer_is_used():
    assert run(ranked(("Paris", False), ("", True)))[0] == [QuestionScore("q", 2, 2)]


def test_an_empty_list_is_a_miss():
    assert run(ranked())[0] == [QuestionScore("q", 0, None)]


@pytest.mark.parametrize("number", [1, 99, 100, 1000])
def test_results_that_have_only_ids_are_refused(number):
    with pytest.raises(InputError, match=r"^search results: question 'q': passage 'p1' has no text to find"):
        run(*[ranked(("", None), ("", None))] * number)


def test_results_that_have_only_ids_are_refused_after_a_hundred():
    read = []
    endless = (read.append(1) or ranked(("", None)) for _ in range(1_000_000))
    with pytest.raises(InputError, match="has no text"):
        list(islice(evaluate(endless, EvaluateConfig(), Counter()), 200))
    assert len(read) == 100


@pytest.mark.parametrize("answer", ["Paris", "P?"])
def test_a_question_without_text_is_a_miss_beside_others_with_text(answer):
    question = Question("q", "where", (answer,), "regex" if "?" in answer else "string")
    empty, good = ranked(("", None), ("", None), question=question), ranked(("Paris", None))
    for order in ([empty, good], [good, empty]):
        scores, counts = run(*order)
        assert sorted(score.first_hit_rank or 0 for score in scores) == [0, 1]
        assert (counts["questions"], counts["questions_without_text"]) == (2, 1)


def test_a_text_or_a_mark_anywhere_shows_that_an_empty_text_is_one():
    empty = ranked(("", None))
    for other in (ranked(("Rome", None)), ranked(("", True)), predicted("Paris")):
        for order in ([empty] * 99 + [other], [other] + [empty] * 300):
            scores, counts = run(*order)
            assert counts["questions_without_text"] == len(order) - 1
            assert [score.first_hit_rank for score in scores].count(None) >= len(order) - 1


def test_predictions_are_measured_without_texts_and_passages_are_not():
    bare = [Prediction(ranked(("", None)), predicted(answer).spans) for answer in ("Paris", "Rome")] * 80
    scores, counts = run(*bare)
    assert [score.exact for score in scores] == [True, False] * 80
    assert {score.passages for score in scores} == {0}
    assert counts["questions_without_text"] == counts["questions"] == 160


def test_an_empty_text_among_others_has_no_answer():
    assert run(ranked(("London", None), ("", None), ("Paris", None)))[0] == [QuestionScore("q", 3, 3)]


def test_another_answer_type_matches_again():
    question = Question("q", "when", (r"19\d\d",))
    assert run(ranked(("in 1936", False), question=question))[0][0].first_hit_rank is None
    assert run(ranked(("in 1936", False), question=question), answer_type="regex")[0][0].first_hit_rank == 1
    with pytest.raises(InputError, match="`answer_type`"):
        run(ranked(("", True), question=question), answer_type="regex")


@pytest.mark.parametrize(
    ("answer", "exact"), [("paris!", True), ("the Paris", True), ("Lyon", False), ("", False)]
)
def test_predictions_are_matched_exactly(answer, exact):
    assert run(predicted(answer))[0] == [QuestionScore("q", 1, 1, exact, float(exact))]


def test_f1_of_a_prediction_is_computed():
    [near] = run(predicted("Paris on the Seine"))[0]
    assert (near.exact, near.f1) == (False, pytest.approx(2 / 4))  # paris; paris on seine
    assert run(predicted("Paris"))[0][0].f1 == 1.0
    assert run(predicted(""))[0][0].f1 == 0.0
    assert run(ranked(("Paris", None)))[0][0].f1 is None


def test_a_regex_answer_must_match_the_prediction():
    question = Question("q", "when", (r"19\d\d",), "regex")
    assert [score.exact for score in run(predicted("1936", question), predicted("in 1936", question))[0]] == [
        True,
        False,
    ]


def test_a_pattern_that_takes_too_long_on_a_prediction_is_given_up_and_counted():
    endless = Question("q", "when", ("(a|aa)+b",), "regex")
    scores, counts = run(predicted("a" * 60, endless))
    assert (scores[0].exact, scores[0].f1, counts["patterns_timed_out"]) == (False, 0.0, 1)


def test_a_pattern_that_is_slow_on_a_passage_still_judges_the_prediction():
    slow = Question("q", "when", ("(a|aa)+b",), "regex")
    found = ranked(("a" * 60, None), question=slow)
    scores, counts = run(Prediction(found, predicted("aab", slow).spans))
    assert (scores[0].first_hit_rank, scores[0].exact, counts["patterns_timed_out"]) == (None, True, 1)


def test_a_question_without_answers_is_a_counted_miss():
    scores, counts = run(
        ranked(("Paris", None), question=Question("q", "capital")),
        predicted("Paris", Question("q", "capital", ("",))),
    )
    assert scores[0] == QuestionScore("q", 1, None)
    assert counts == {"questions": 2, "questions_without_answer": 2, "empty_answers_dropped": 1}


def test_the_summary_contains_all_scores():
    scores, _ = run(ranked(("Paris", None)), ranked(("London", None)))
    assert summarize(scores).top_k == {1: 50.0}

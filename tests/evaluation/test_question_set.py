from collections import Counter

from densecli.evaluation.supply_answers import supply_answers
from densecli.records import Passage, Prediction, Question, RankedList, ScoredPassage, Span

FOUND = (ScoredPassage(Passage("1", "", "A"), 1.0),)
KNOWN = [Question("7", "Who is it ?", ("A",), "regex"), Question("8", "Where?", ("B",), "regex")]


def supplied(*records: RankedList | Prediction) -> tuple[list[RankedList | Prediction], Counter[str]]:
    counts: Counter[str] = Counter()
    return list(supply_answers(records, KNOWN, counts)), counts


def test_a_question_without_answers_gets_those_of_the_set() -> None:
    (got,), counts = supplied(RankedList(Question("1", "who is it?"), FOUND))
    assert got == RankedList(Question("1", "who is it?", ("A",), "regex"), FOUND)
    assert +counts == {"questions_of_the_data_set_without_result": 1}


def test_a_prediction_too() -> None:
    spans = (Span("A", "1", "", 0, 1, 0.0, 0.0),)
    (got,), _ = supplied(Prediction(RankedList(Question("1", "WHERE"), FOUND), spans))
    assert got == Prediction(RankedList(Question("1", "WHERE", ("B",), "regex"), FOUND), spans)


def test_answers_of_its_own_stay() -> None:
    own = RankedList(Question("1", "Where?", ("C",)), FOUND)
    (got,), counts = supplied(own)
    assert got == own
    assert counts["questions_not_in_the_data_set"] == 0


def test_a_question_of_another_set_stays_and_is_counted() -> None:
    other = RankedList(Question("7", "Whose is it?"), FOUND)
    (got,), counts = supplied(other)
    assert got == other
    assert counts == {"questions_not_in_the_data_set": 1, "questions_of_the_data_set_without_result": 2}


def test_a_question_that_comes_twice_is_one_question() -> None:
    both = RankedList(Question("1", "Where?"), FOUND), RankedList(Question("2", "where"), FOUND)
    _, counts = supplied(*both)
    assert counts["questions_of_the_data_set_without_result"] == 1

from collections import Counter

import pytest

from densecli.errors import InputError
from densecli.evaluation.question_set import QuestionSet, each_once
from densecli.files.bad_records import BadRecords
from densecli.records import Passage, Prediction, Question, RankedList, ScoredPassage, Span

FOUND = (ScoredPassage(Passage("1", "", "A"), 1.0, True),)
KNOWN = [Question("7", "Who is it ?", ("A",), "regex"), Question("8", "Where?", ("B",), "regex")]
Result = RankedList | Prediction


def matched(
    *records: Result, known: list[Question] = KNOWN, ids: bool = False, own: bool = True
) -> tuple[list[Result], Counter[str], dict[str, list[str]]]:
    counts: Counter[str] = Counter()
    told: dict[str, list[str]] = {}

    def tell(what: str, questions: object) -> None:
        told[what] = [question.id for question in questions]  # type: ignore[attr-defined]

    found = QuestionSet(known, ids, own).match(records, counts, report=tell)
    return list(found), counts, told


def test_a_question_without_a_result_gets_an_empty_list_and_is_named() -> None:
    got, counts, told = matched(RankedList(Question("1", "who is it?"), FOUND))
    assert got == [RankedList(KNOWN[0], FOUND), RankedList(KNOWN[1], ())]
    assert +counts == {"questions_without_result": 1}
    assert told == {"questions_without_result": ["8"]}


def test_a_prediction_gets_its_question() -> None:
    spans = (Span("A", "1", "", 0, 1, 0.0, 0.0),)
    (got, _), _, _ = matched(Prediction(RankedList(Question("1", "WHERE"), FOUND), spans))
    assert got == Prediction(RankedList(KNOWN[1], FOUND), spans)


def test_a_question_file_replaces_the_answers_of_a_result_and_a_dataset_does_not() -> None:
    own = RankedList(Question("1", "Where?", ("C",)), FOUND)
    (kept, _), _, _ = matched(own)
    assert kept == RankedList(Question("8", "Where?", ("C",)), FOUND)
    (replaced, _), _, _ = matched(own, own=False)
    open_again = (ScoredPassage(FOUND[0].passage, 1.0),)
    assert replaced == RankedList(KNOWN[1], open_again)


def test_a_result_for_an_unknown_question_is_ignored_and_named() -> None:
    other, good = (RankedList(Question("7", text), FOUND) for text in ("Whose is it?", "where"))
    got, counts, told = matched(other, good)
    assert [one.question.id for one in got if isinstance(one, RankedList)] == ["8", "7"]
    assert counts == {"questions_not_in_the_set": 1, "questions_without_result": 1}
    assert told["questions_not_in_the_set"] == ["7"]
    with pytest.raises(InputError, match="none of its 1 questions is in the set; expected results for"):
        matched(other)


def test_a_result_without_a_question_text_is_matched_by_id() -> None:
    assert matched(RankedList(Question("8", ""), FOUND))[0][0] == RankedList(KNOWN[1], FOUND)


def test_a_question_with_the_same_id_may_have_another_wording() -> None:
    reworded = RankedList(Question("8", "In which place?"), FOUND)
    assert matched(reworded, ids=True)[0][0] == RankedList(KNOWN[1], FOUND)
    with pytest.raises(InputError):
        matched(reworded)


def test_two_questions_with_the_same_text_are_kept() -> None:
    known = [Question("a", "Who?", ("A",)), Question("b", "who", ("B",))]
    twice = [RankedList(Question(one, "Who?"), ()) for one in ("b", "1")]
    got, counts, _ = matched(*twice, known=known)
    assert [one.question.id for one in got if isinstance(one, RankedList)] == ["b", "a"]
    assert not +counts


def test_a_second_result_for_a_question_is_refused_or_skipped() -> None:
    twice = [RankedList(Question(one, "where?"), FOUND) for one in "12"]
    with pytest.raises(InputError, match=r"^search results: question '2' occurs twice \('where\?'\)"):
        matched(*twice)
    same = [twice[0], twice[0]]
    with pytest.raises(InputError, match="question '1' occurs twice"):
        list(each_once(same))
    bad = BadRecords(True)
    assert list(each_once(same, bad)) == same[:1]
    assert bad.counts == {"skipped_duplicate_id": 1}

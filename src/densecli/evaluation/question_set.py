"""The answers of a data set for results that came without, such as other programs' runs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from densecli.records import Prediction, Question, RankedList, ranked_of


def supply_answers(
    records: Iterable[RankedList | Prediction], questions: Iterable[Question], counts: Counter[str]
) -> Iterator[RankedList | Prediction]:
    """Yield the results, those without answers with the answers of the same question of the data set.

    A question is the same when its letters and digits are: case, marks and spaces differ between editions.
    Counted: `questions_not_in_the_data_set`, and at the end `questions_of_the_data_set_without_result`.
    """
    known = {_letters(question): question for question in questions}
    found = set()
    for record in records:
        ranked = ranked_of(record)
        key = _letters(ranked.question)
        if key not in known:
            counts["questions_not_in_the_data_set"] += 1
            yield record
            continue
        found.add(key)
        if ranked.question.answers:
            yield record
            continue
        question = replace(ranked.question, answers=known[key].answers, answer_type=known[key].answer_type)
        answered = replace(ranked, question=question)
        yield replace(record, ranked=answered) if isinstance(record, Prediction) else answered
    counts["questions_of_the_data_set_without_result"] += len(known) - len(found)


def _letters(question: Question) -> str:
    return "".join(filter(str.isalnum, question.question.casefold()))

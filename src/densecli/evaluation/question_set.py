"""The questions that count: each of them once, whether the results have it or not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from densecli.errors import InputError
from densecli.evaluation.compare import letters
from densecli.files.bad_records import DUPLICATE, STOP, BadRecords
from densecli.records import Prediction, Question, RankedList, Result, ranked_of

WITHOUT_RESULT, NOT_IN_SET = "questions_without_result", "questions_not_in_the_set"


class QuestionSet:
    """The questions of a file or of a dataset, which results are matched to.

    A result belongs to the question with the same letters and digits (case, marks and spaces differ between
    editions), of several such questions to one with its id or else to the first that is left. A result
    without a text, as in a run, belongs to the question with its id.
    """

    def __init__(self, questions: Iterable[Question], ids: bool = True, own_answers: bool = False) -> None:
        """Take the questions.

        Args:
            questions: all that count.
            ids: whether a result may belong to a question with its id and other words. The ids of a dataset
                are the numbers of its lines and say nothing about results of other programs.
            own_answers: whether results keep answers that they have.
        """
        self.questions: Sequence[Question] = list(questions)
        self._own_answers = own_answers
        self._by_id = {question.id: place for place, question in enumerate(self.questions)}
        self.by_ids = ids
        self._by_letters: dict[str, list[int]] = defaultdict(list)
        for place, question in enumerate(self.questions):
            self._by_letters[letters(question.question)].append(place)

    def match(
        self,
        results: Iterable[Result],
        counts: Counter[str],
        bad: BadRecords = STOP,
        name: str = "search results",
        report: Callable[[str, Sequence[Question]], None] = lambda what, questions: None,
    ) -> Iterator[Result]:
        """Yield each result with its question of the set, then an empty list for every other question.

        Args:
            results: the results, in any order.
            counts: filled with `questions_without_result` and `questions_not_in_the_set`, whose results are
                left out.
            bad: what a second result for a question does.
            name: the name of the results, for errors.
            report: is given the names of those two counts with their questions.

        Raises:
            InputError: there are two results for a question, or none belongs to the set.
        """
        left = set(range(len(self.questions)))
        matched = 0
        unknown: list[Question] = []
        for result in results:
            asked = ranked_of(result).question
            places = self._places(asked)
            place = next((one for one in places if one in left), None)
            if not places:
                unknown.append(asked)
            elif place is None:
                refuse_second(asked, bad, name)
            else:
                matched += 1
                left.remove(place)
                yield self._complete(result, self.questions[place])
        if unknown and not matched:
            what = f"none of its {len(unknown):,} questions is in the set"
            raise InputError(
                name, None, what, f"results for questions such as {self.questions[0].question!r:.80}"
            )
        missing = [self.questions[place] for place in sorted(left)]
        for what, questions in ((NOT_IN_SET, unknown), (WITHOUT_RESULT, missing)):
            counts[what] += len(questions)
            if questions:
                report(what, questions)
        yield from (RankedList(question, ()) for question in missing)

    def _places(self, asked: Question) -> list[int]:
        """Return the places of the questions that a result may belong to, the likeliest first."""
        own = self._by_id.get(asked.id)
        # text before id: ids of several files count from 0 and meet by chance
        alike = self._by_letters.get(letters(asked.question), []) if asked.question else []
        if own is not None and (own in alike or not asked.question or (self.by_ids and not alike)):
            return [own, *(place for place in alike if place != own)]
        return alike

    def _complete(self, result: Result, question: Question) -> Result:
        """Return a result with the question of the set. With other answers its hits are open again."""
        ranked = ranked_of(result)
        before = ranked.question
        if self._own_answers and before.answers:
            question = replace(question, answers=before.answers, answer_type=before.answer_type)
        known = before.answers, before.answer_type
        if before.answers and known != (question.answers, question.answer_type):
            # it was found by other answers; it is matched again from the text
            ctxs = tuple(replace(ctx, has_answer=None) for ctx in ranked.ctxs)
        else:
            ctxs = ranked.ctxs
        ranked = RankedList(question, ctxs)
        return replace(result, ranked=ranked) if isinstance(result, Prediction) else ranked


def each_once(
    results: Iterable[Result], bad: BadRecords = STOP, name: str = "search results"
) -> Iterator[Result]:
    """Pass results on, which are no measure of a set if a question is there twice.

    Raises:
        InputError: an id occurs twice.
    """
    seen: set[str] = set()
    for result in results:
        question = ranked_of(result).question
        if question.id in seen:
            refuse_second(question, bad, name)
        else:
            seen.add(question.id)
            yield result


def refuse_second(question: Question, bad: BadRecords, name: str) -> None:
    """Take a second result for a question.

    Raises:
        InputError: names the question, unless such records are skipped.
    """
    what = f"question {question.id!r} occurs twice ({question.question!r:.60})"
    bad.refuse(DUPLICATE, InputError(name, None, what, "one result for each question"))

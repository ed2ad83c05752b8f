"""Ranked lists and predictions to scores (paper, sections 5.1 and 6.2)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from densecli.configs.asking import EvaluateConfig
from densecli.errors import FieldError, InputError
from densecli.evaluation.accuracy import QuestionScore
from densecli.files.bad_records import STOP, BadRecords
from densecli.records import Prediction, RankedList, ScoredPassage, ranked_of
from densecli.text.answers import AnswerMatcher
from densecli.text.normalize import f1_score

Seen = Callable[[RankedList | Prediction, QuestionScore], None]


def evaluate(
    records: Iterable[RankedList | Prediction],
    config: EvaluateConfig,
    counts: Counter[str],
    bad: BadRecords = STOP,
    name: str = "search results",
    seen: Seen | None = None,
) -> Iterator[QuestionScore]:
    """Yield the score of each question, in order; questions without answers are counted.

    A passage's own `has_answer` is believed, unless `config.answer_type` asks for another kind of match than
    the question names; where there is none the passage's text is matched.

    Args:
        records: with the answers to their questions.
        config: how answers are matched.
        counts: filled with the questions, and with what is wrong with their answers.
        bad: what a result does of which it cannot be said whether it holds an answer.
        name: the name of the results, for errors.
        seen: is called with each record and its score.

    Raises:
        InputError: a passage has neither `has_answer` nor text.
    """
    for record in records:
        ranked = ranked_of(record)
        question = ranked.question
        answer_type = config.answer_type or question.answer_type
        matcher = AnswerMatcher(question.answers, answer_type)
        usable = matcher.usable  # a pattern that takes too long is dropped below
        # before the passages, on which a pattern may take so long that it is given up
        exact = matcher.equals(record.answer) if isinstance(record, Prediction) else None
        f1 = None
        believed = answer_type == question.answer_type
        textless = not any(passage.passage.text for passage in ranked.ctxs)
        hits = (_holds_answer(passage, matcher, believed, textless) for passage in ranked.ctxs)
        try:
            rank = next((rank for rank, hit in enumerate(hits, 1) if hit), None)
        except FieldError as error:
            what = f"question {question.id!r}: {error.what}"
            bad.refuse(error.code, InputError(name, None, what, error.expected))
            continue
        if exact is not None and isinstance(record, Prediction):
            # a pattern has no words to share
            partly = not exact and answer_type != "regex"
            f1 = f1_score(record.answer, question.answers) if partly else float(exact)
        counts["questions"] += 1
        counts["questions_without_answer"] += not usable
        matcher.count_problems(counts)
        judged = usable or any(passage.has_answer is not None for passage in ranked.ctxs)
        score = QuestionScore(
            question.id, len(ranked.ctxs), rank, exact, f1, question.question, judged, answer_type
        )
        if seen is not None:
            seen(record, score)
        yield score


def _holds_answer(passage: ScoredPassage, matcher: AnswerMatcher, believed: bool, textless: bool) -> bool:
    """Return whether a passage holds an answer; beside others with texts, an empty one holds none."""
    if believed and passage.has_answer is not None:
        return passage.has_answer
    if textless:
        what = f"passage {passage.passage.id!r} has no text to find answers in"
        why = "" if believed else ": `answer_type` asks for another kind of match than has_answer has"
        raise FieldError(what, f"search results with text, or `passages` FOLDER{why}", code="no_text")
    return matcher.found_in(passage.passage.text)

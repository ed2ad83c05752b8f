"""Ranked lists and predictions to scores (paper, sections 5.1 and 6.2)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from densecli.configs.asking import EvaluateConfig
from densecli.errors import InputError
from densecli.evaluation.accuracy import QuestionScore
from densecli.records import Prediction, Question, RankedList, ScoredPassage, ranked_of
from densecli.text.answers import AnswerMatcher
from densecli.text.normalize import f1_score

Seen = Callable[[RankedList | Prediction, QuestionScore], None]
TEXTLESS_LIMIT = 100
"""After so many questions without any text the results are refused: they have only ids."""


def evaluate(
    records: Iterable[RankedList | Prediction],
    config: EvaluateConfig,
    counts: Counter[str],
    name: str = "search results",
    seen: Seen | None = None,
) -> Iterator[QuestionScore]:
    """Yield the score of each question, in order; those without answers or texts are counted.

    A passage's own `has_answer` is believed, unless `config.answer_type` asks for another kind of match than
    the question names; where there is none the passage's text is matched. An empty text holds no answer.

    Args:
        records: with the answers to their questions.
        config: how answers are matched.
        counts: filled with the questions, and with what is wrong with their answers.
        name: the name of the results, for errors.
        seen: is called with each record and its score.

    Raises:
        InputError: no passage has a text or `has_answer`, as in results that have only ids. Of such
            predictions the answers are measured, and the passages are not.
    """
    known = False
    held: list[tuple[RankedList | Prediction, QuestionScore, InputError | None]] = []
    # until a text or a mark is seen, an empty text may be one that is missing

    def release() -> Iterator[QuestionScore]:
        for record, score, no_text in held:
            if no_text is not None and not known:
                if score.exact is None:
                    raise no_text
                score = replace(score, passages=0)
            counts["questions"] += 1
            if no_text is not None:
                counts["questions_without_text"] += 1
            if seen is not None:
                seen(record, score)
            yield score
        held.clear()

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
        hits = (_holds_answer(passage, matcher, believed) for passage in ranked.ctxs)
        rank = next((rank for rank, hit in enumerate(hits, 1) if hit), None)
        if exact is not None and isinstance(record, Prediction):
            # a pattern has no words to share
            partly = not exact and answer_type != "regex"
            f1 = f1_score(record.answer, question.answers) if partly else float(exact)
        counts["questions_without_answer"] += not usable
        matcher.count_problems(counts)
        judged = usable or any(passage.has_answer is not None for passage in ranked.ctxs)
        score = QuestionScore(
            question.id, len(ranked.ctxs), rank, exact, f1, question.question, judged, answer_type
        )
        unmarked = [one for one in ranked.ctxs if not believed or one.has_answer is None]
        has_text = any(one.passage.text for one in ranked.ctxs)
        known = known or has_text or len(unmarked) < len(ranked.ctxs)
        no_text = None if has_text or not unmarked else _no_text(name, question, unmarked[0], believed)
        held.append((record, score, no_text))
        if known or len(held) == TEXTLESS_LIMIT:
            yield from release()
    yield from release()


def _holds_answer(passage: ScoredPassage, matcher: AnswerMatcher, believed: bool) -> bool:
    if believed and passage.has_answer is not None:
        return passage.has_answer
    # a pattern such as a* would match the empty text
    return bool(passage.passage.text) and matcher.found_in(passage.passage.text)


def _no_text(name: str, question: Question, passage: ScoredPassage, believed: bool) -> InputError:
    what = f"question {question.id!r}: passage {passage.passage.id!r} has no text to find answers in"
    why = "" if believed else ": `answer_type` asks for another kind of match than has_answer has"
    return InputError(name, None, what, f"search results with text, or `passages` FOLDER{why}")

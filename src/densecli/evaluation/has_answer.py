"""Which of the passages found for a question contain an answer, if search did not say."""

from collections import Counter
from dataclasses import replace

from densecli.records import RankedList
from densecli.text.answers import AnswerMatcher


def mark_answers(ranked: RankedList, counts: Counter[str]) -> RankedList:
    """Return the list with `has_answer` on every passage that has a text, where the question has answers.

    What was known stays; `counts` is filled with what is wrong with the answers.
    """
    question = ranked.question
    if not question.answers or all(ctx.has_answer is not None for ctx in ranked.ctxs):
        return ranked
    matcher = AnswerMatcher(question.answers, question.answer_type)
    ctxs = tuple(
        replace(ctx, has_answer=matcher.found_in(ctx.passage.text))
        if ctx.has_answer is None and ctx.passage.text
        else ctx
        for ctx in ranked.ctxs
    )
    matcher.count_problems(counts)
    return replace(ranked, ctxs=ctxs)

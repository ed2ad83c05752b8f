"""Snippets for people: the part of a passage around an answer, with the places of what matters in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from densecli.records import Question
from densecli.text.answers import AnswerMatcher
from densecli.text.content_words import PLAIN
from densecli.text.sentence import sentence_bounds

SNIPPET_WORDS = 45
REACH = 1000
"""Characters before and after the first match that are considered at all."""
Place = tuple[int, int]


@dataclass(frozen=True)
class Snippet:
    """A part of a text.

    Attributes:
        text: the part, with an ellipsis where the text goes on.
        answers: start and end of each answer in `text`.
        words: start and end of each question word in `text`.
    """

    text: str
    answers: tuple[Place, ...] = ()
    words: tuple[Place, ...] = ()

    def mark_answers(self) -> str:
        """Return the text with its answers in double brackets."""
        inside = {place for start, end in self.answers for place in range(start, end)}
        return "".join(
            "[[" * (place in inside and place - 1 not in inside)
            + sign
            + "]]" * (place in inside and place + 1 not in inside)
            for place, sign in enumerate(self.text)
        )


def passage_snippet(text: str, question: Question) -> Snippet:
    """Return the part of a passage around its first answer, else around the first word of the question.

    Example:
        >>> passage_snippet("Einstein was born in Ulm.", Question("1", "born where", ("Ulm",))).mark_answers()
        'Einstein was born in [[Ulm]].'
    """
    answers = AnswerMatcher(question.answers, question.answer_type).spans(text) if question.answers else []
    words = set(re.findall(r"\w+", question.question.lower())).difference(PLAIN)
    marks = [match.span() for match in re.finditer(r"\w+", text) if match.group().lower() in words]
    return cut_snippet(text, answers, marks)


def answer_sentence(text: str, start: int, end: int) -> Snippet:
    """Return the sentence of a passage that holds the answer `text[start:end]`."""
    first, last = sentence_bounds(text, start, end)
    return cut_snippet(text[first:last], [(start - first, end - first)], [])


def cut_snippet(text: str, answers: Sequence[Place], words: Sequence[Place]) -> Snippet:
    """Return about 45 words of `text` around the first of `answers`, else of `words`, else of the text."""
    focus = (*answers, *words, (0, 0))[0][0]
    low, high = max(0, focus - REACH), focus + REACH
    spans = [match.span() for match in re.compile(r"\S+").finditer(text, low, high)]
    if not spans:
        return Snippet("")
    middle = sum(1 for start, _ in spans if start < focus)
    first = max(0, min(middle - SNIPPET_WORDS // 3, len(spans) - SNIPPET_WORDS))
    last = min(len(spans), first + SNIPPET_WORDS) - 1
    start, end = spans[first][0], spans[last][1]
    before = "… " if text[:start].strip() else ""
    after = " …" if text[end:].strip() else ""

    def inside(places: Sequence[Place]) -> tuple[Place, ...]:
        shift = len(before) - start
        cut = ((max(begin, start), min(stop, end)) for begin, stop in places)
        return tuple((begin + shift, stop + shift) for begin, stop in cut if begin < stop)

    return Snippet(before + text[start:end] + after, inside(answers), inside(words))

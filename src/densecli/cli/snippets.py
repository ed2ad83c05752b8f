"""Ranked passages and answers for people: snippets with the words that matter in bold."""

import math
import re

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from densecli.records import Prediction, RankedList, ScoredPassage, Span
from densecli.text.answers import AnswerMatcher
from densecli.text.content_words import PLAIN
from densecli.text.foreign_text import mask
from densecli.text.sentence import sentence_bounds

SNIPPET_WORDS = 45
REACH = 1000
ANSWER_STYLE = "bold green"
WORD_STYLE = "bold"
PLAUSIBLE = 0.25
"""Share of the best answer's probability from which another answer is worth showing."""


def ranked_view(ranked: RankedList) -> RenderableType:
    """Return a question's passages, numbered, with answers and question words highlighted."""
    question = mask(ranked.question.question)
    if not ranked.ctxs:
        return Text(f"{question}: nothing found", style="dim")
    parts: list[RenderableType] = [Text(question, style="bold underline")]
    for rank, ctx in enumerate(ranked.ctxs, 1):
        parts.append(_heading(rank, ctx))
        parts.append(Padding(snippet(ctx, ranked), (0, 0, 1, 4)))
    return Group(*parts)


def _heading(rank: int, ctx: ScoredPassage) -> Text:
    mark = {True: (" ✓", ANSWER_STYLE), False: ("", ""), None: ("", "")}[ctx.has_answer]
    return Text.assemble(
        (f"{rank:>2}. ", "dim"),
        (mask(ctx.passage.title or ctx.passage.id), "bold cyan"),
        mark,
        (f"  {ctx.score:.2f}  {mask(ctx.passage.id)}", "dim"),
    )


def snippet(ctx: ScoredPassage, ranked: RankedList) -> Text:
    """Return the part of a passage around its first answer or question word."""
    question = ranked.question
    text = ctx.passage.text
    answers = AnswerMatcher(question.answers, question.answer_type).spans(text) if question.answers else []
    words = set(re.findall(r"\w+", question.question.lower())).difference(PLAIN)
    marks = [match.span() for match in re.finditer(r"\w+", text) if match.group().lower() in words]
    return cut(text, answers, marks)


def cut(text: str, answers: list[tuple[int, int]], words: list[tuple[int, int]]) -> Text:
    """Return about 45 words of `text` around the first of `answers`, else of `words`, styled."""
    focus = (answers or words or [(0, 0)])[0][0]
    low, high = max(0, focus - REACH), focus + REACH
    spans = [match.span() for match in re.compile(r"\S+").finditer(text, low, high)]
    if not spans:
        return Text("")
    middle = sum(1 for start, _ in spans if start < focus)
    first = max(0, min(middle - SNIPPET_WORDS // 3, len(spans) - SNIPPET_WORDS))
    last = min(len(spans), first + SNIPPET_WORDS) - 1
    start, end = spans[first][0], spans[last][1]
    part = Text(mask(text[start:end]))
    for style, places in ((WORD_STYLE, words), (ANSWER_STYLE, answers)):
        for begin, stop in places:
            if begin < end and stop > start:
                part.stylize(style, max(0, begin - start), stop - start)
    ends = ("… " if text[:start].strip() else "", " …" if text[end:].strip() else "")
    return Text.assemble(ends[0], part, ends[1])


def sentence(text: str, start: int, end: int) -> Text:
    """Return the sentence of a passage that holds an answer, with the answer highlighted."""
    first, last = sentence_bounds(text, start, end)
    return cut(text[first:last], [(start - first, end - first)], [])


def is_plausible(other: Span, best: Span) -> bool:
    """Return whether another answer is at least a quarter as probable as the best one."""
    if other.text == best.text or other.score is None or best.score is None:
        return False
    return other.score >= best.score + math.log(PLAUSIBLE)


def prediction_view(prediction: Prediction) -> RenderableType:
    """Return the answer to a question, and where it stands."""
    question = Text(mask(prediction.ranked.question.question), style="bold underline")
    if not prediction.spans:
        return Group(question, Text("    no answer found", style="dim"))
    best = prediction.spans[0]
    texts = {ctx.passage.id: ctx.passage.text for ctx in prediction.ranked.ctxs}
    place = sentence(texts.get(best.passage_id) or best.text, best.start, best.end)
    others = dict.fromkeys(mask(span.text) for span in prediction.spans[1:] if is_plausible(span, best))
    source = mask(f"  {best.title}  {best.passage_id}, character {best.start}")
    parts: list[RenderableType] = [
        question,
        Text.assemble("    ", (mask(best.text), ANSWER_STYLE), (source, "dim")),
        Padding(place, (0, 0, 0, 4)),
    ]
    if others:
        parts.append(Text("    also: " + " · ".join(others), style="dim"))
    return Group(*parts, Text(""))

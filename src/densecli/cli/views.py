"""Passages, answers, explanations and training examples for people, with the words that matter in bold.

Importing this module loads rich, so commands import it late.
"""

import re
from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from densecli.records import (
    Context,
    Passage,
    Prediction,
    Question,
    RankedList,
    ScoredPassage,
    Span,
    TrainingExample,
)
from densecli.text.foreign_text import mask
from densecli.text.normalize import normalize_answer
from densecli.text.snippets import Snippet, answer_sentence, passage_snippet
from densecli.workflows.explain import ExplainedList

ANSWER_STYLE = "bold green"
WORD_STYLE = "bold"
TITLE_STYLE = "bold cyan"
SHOWN = 3
"""Negatives shown of each list of a training example."""


def styled(snippet: Snippet) -> Text:
    """Return a snippet with its answers and question words highlighted."""
    text = Text(mask(snippet.text))
    for style, places in ((WORD_STYLE, snippet.words), (ANSWER_STYLE, snippet.answers)):
        for start, end in places:
            text.stylize(style, start, end)
    return text


def ranked_view(ranked: RankedList) -> RenderableType:
    """Return a question's passages, numbered, with answers and question words highlighted."""
    question = mask(ranked.question.question)
    if not ranked.ctxs:
        return Text(f"{question}: nothing found", style="dim")
    return Group(_title(ranked.question), *_passages(ranked))


def explained_view(explained: ExplainedList) -> RenderableType:
    """Return a question's passages with the scores behind their ranks."""
    if not explained.ranked.ctxs:
        return ranked_view(explained.ranked)
    notes = [" · ".join(filter(None, (str(one), explained.formula))) for one in explained.explanations]
    return Group(_title(explained.ranked.question), *_passages(explained.ranked, notes))


def compared_view(sides: Mapping[str, RankedList]) -> RenderableType:
    """Return what several kinds of search found in columns, with matched words and answers marked."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for mode in sides:
        table.add_column(mode, ratio=1, overflow="fold", header_style="bold")
    table.add_row(*(Group(*_passages(one)) if one.ctxs else Text("nothing found") for one in sides.values()))
    return Group(_title(next(iter(sides.values())).question), table)


def prediction_view(prediction: Prediction) -> RenderableType:
    """Return the answer to a question, and where it stands."""
    question = _title(prediction.ranked.question)
    if not prediction.spans:
        return Group(question, Text("    no answer found", style="dim"))
    best = prediction.spans[0]
    passages = {ctx.passage.id: ctx.passage for ctx in prediction.ranked.ctxs}
    passage = passages.get(best.passage_id)
    sentence = answer_sentence((passage and passage.text) or best.text, best.start, best.end)
    source = mask(f"  {best.title}  {_place(best, passage)}")
    parts: list[RenderableType] = [
        question,
        Text.assemble("    ", (mask(best.text), ANSWER_STYLE), (source, "dim")),
        Padding(styled(sentence), (0, 0, 0, 4)),
    ]
    # "the Beatles" is no other answer than "Beatles"
    different = {normalize_answer(one): one for one in reversed((best.text, *prediction.other_answers))}
    different.pop(normalize_answer(best.text))
    if different:
        others = " · ".join(map(mask, reversed(different.values())))
        parts.append(Text(f"    also: {others}", style="dim"))
    return Group(*parts, Text(""))


UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Characters of scripts that put no spaces between words."""


def _place(span: Span, passage: Passage | None) -> str:
    """Return where an answer stands: in its article where the collection knows that, else in its passage."""
    meta = (passage and passage.text and passage.meta) or {}
    article, offset = meta.get("article"), meta.get("offset")
    if passage is None or not isinstance(article, str) or not isinstance(offset, int):
        return f"{span.passage_id}, character {span.start} of the passage"
    before = passage.text[: span.start]
    if UNSPACED.search(before):  # the offset counts words that no space ends
        return f"{article}, character {span.start} of the passage at word {offset + 1:,}"
    begins = not before or before[-1].isspace()
    return f"{article}, word {offset + len(before.split()) + begins:,}"


def example_view(example: TrainingExample, brackets: bool) -> RenderableType:
    """Return a training example: the question, a positive and some negatives.

    Args:
        example: the example.
        brackets: whether answers are marked by double brackets, for a terminal without colors.
    """
    answers = mask(" | ".join(example.question.answers))
    parts: list[RenderableType] = [Text.assemble(_title(example.question), "  ", (answers, ANSWER_STYLE))]
    lists = (
        ("+", "green", example.positives[:1]),
        ("-", "red", example.hard_negatives),
        ("~", "yellow", example.negatives),
    )
    for sign, style, passages in lists:
        for passage in passages[:SHOWN]:
            heading = (_name(passage), TITLE_STYLE), (f"  {_origin(passage)}", "dim")
            parts.append(Text.assemble((f"  {sign} ", style), *heading))
            snippet = passage_snippet(passage.text, example.question)
            text = Text(mask(snippet.mark_answers())) if brackets else styled(snippet)
            parts.append(Padding(text, (0, 0, 0, 4)))
        if len(passages) > SHOWN:
            parts.append(Text(f"  {sign} and {len(passages) - SHOWN} more", style="dim"))
    return Group(*parts, Text(""))


def _title(question: Question) -> Text:
    return Text(mask(question.question), style="bold underline")


def _name(passage: Passage) -> str:
    return mask(passage.title or passage.id)


def _passages(ranked: RankedList, notes: list[str] | None = None) -> Iterator[RenderableType]:
    """Yield the heading of each passage, the note about it, and its snippet."""
    for place, ctx in enumerate(ranked.ctxs):
        yield _heading(place + 1, ctx)
        if notes is not None:
            yield Padding(Text(mask(notes[place]), style="dim"), (0, 0, 0, 4))
        yield Padding(styled(passage_snippet(ctx.passage.text, ranked.question)), (0, 0, 1, 4))


def _heading(rank: int, ctx: ScoredPassage) -> Text:
    return Text.assemble(
        (f"{rank:>2}. ", "dim"),
        (_name(ctx.passage), TITLE_STYLE),
        (" ✓" if ctx.has_answer else "", ANSWER_STYLE),
        (f"  {ctx.score:.2f}  {mask(ctx.passage.id)}", "dim"),
    )


def _origin(passage: Passage) -> str:
    """Return what found a passage of a training example, with its rank and score."""
    if not isinstance(passage, Context):
        return ""
    rank = "" if passage.rank is None else f"rank {passage.rank}"
    score = "" if passage.score is None else f"{passage.score:.2f}"
    return mask("  ".join(filter(None, (passage.source, rank, score))))

"""`--audit`: random training examples for human eyes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.session import Session
from densecli.text.foreign_text import mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.text import Text

    from densecli.records import Passage, Question, TrainingExample

SHOWN = 3
"""Negatives shown of each list."""
AuditOption = Annotated[
    int,
    typer.Option("--audit", min=0, max=1000, help="Show this many random examples with highlighted answers."),
]


def audit(session: Session, path: Path, size: int, seed: int) -> None:
    """Show `size` examples of a file, drawn by `seed`, on stderr; without colors answers are in brackets."""
    if not size:
        return
    from rich.console import Group

    from densecli.formats.draw_examples import draw_examples

    console = session.terminal.console(stderr=True)
    marked = console.color_system is None
    for example in draw_examples(path, size, seed):
        session.terminal.show(Group(*_view(example, marked)), stderr=True)


def _view(example: "TrainingExample", marked: bool) -> "Iterator[RenderableType]":
    from rich.text import Text

    from densecli.cli.snippets import ANSWER_STYLE

    question = example.question
    answers = mask(" | ".join(question.answers))
    yield Text.assemble((mask(question.question), "bold underline"), "  ", (answers, ANSWER_STYLE))
    lists = (
        ("+", "green", example.positives[:1]),
        ("-", "red", example.hard_negatives),
        ("~", "yellow", example.negatives),
    )
    for sign, style, passages in lists:
        for passage in passages[:SHOWN]:
            yield from _passage(question, passage, sign, style, marked)
        if len(passages) > SHOWN:
            yield Text(f"  {sign} and {len(passages) - SHOWN} more", style="dim")
    yield Text("")


def _passage(
    question: "Question", passage: "Passage", sign: str, style: str, marked: bool
) -> "Iterator[RenderableType]":
    from rich.padding import Padding
    from rich.text import Text

    from densecli.cli.snippets import snippet
    from densecli.records import Context, RankedList, ScoredPassage

    origin = ""
    if isinstance(passage, Context):
        rank = "" if passage.rank is None else f"rank {passage.rank}"
        score = "" if passage.score is None else f"{passage.score:.2f}"
        origin = mask("  ".join(filter(None, (passage.source, rank, score))))
    yield Text.assemble(
        (f"  {sign} ", style), (mask(passage.title or passage.id), "bold cyan"), (f"  {origin}", "dim")
    )
    part = snippet(ScoredPassage(passage, 0.0), RankedList(question, ()))
    yield Padding(_in_brackets(part) if marked else part, (0, 0, 0, 4))


def _in_brackets(part: "Text") -> "Text":
    """Return a snippet with its answers in double brackets."""
    from rich.text import Text

    from densecli.cli.snippets import ANSWER_STYLE

    marked = {place for span in part.spans if span.style == ANSWER_STYLE for place in range(*span[:2])}
    signs = (
        "[[" * (place in marked and place - 1 not in marked)
        + sign
        + "]]" * (place in marked and place + 1 not in marked)
        for place, sign in enumerate(part.plain)
    )
    return Text("".join(signs))

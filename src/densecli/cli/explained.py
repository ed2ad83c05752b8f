"""`search --explain` and `search --compare`: why passages are found, for people and for programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.questions import Conversation
from densecli.cli.session import Session
from densecli.configs.asking import SearchConfig
from densecli.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from densecli.records import Question, RankedList
    from densecli.workflows.explain import ExplainedList, Explanation

MOST_TERMS = 6


def show_explained(
    session: Session,
    questions: "Question | Path | Conversation | None",
    arguments: dict[str, Any],
    compared: str | None,
    people: bool,
    text: bool,
    output: Path | None,
) -> None:
    """Search with an explanation of each hit, or in several ways, and show or write what is found.

    Args:
        session: where it goes.
        questions: what is asked.
        arguments: of the search.
        compared: the modes, with commas between; None explains hits.
        people: whether people read it.
        text: whether records have the texts of passages.
        output: file for records.

    Raises:
        UsageError: an option has no effect.
    """
    from densecli.workflows.explain import compare_modes, explain

    if questions is None:
        raise UsageError("--explain and --compare take a question or a file of them, not --dataset")
    if compared is None:
        found = explain(questions, **arguments)
        if people:
            for one in found:
                session.terminal.show(explained_view(one))
        else:
            session.write((one.to_json(text) for one in found), output)
        return
    useless = [name for name in ("passages", "index", "bm25") if arguments.pop(name) is not None]
    if useless:
        raise UsageError(f"--{useless[0]} has no effect with --compare, which searches the workspace")
    several = compare_modes(questions, compared.split(","), **arguments)
    if people:
        for sides in several:
            session.terminal.show(compared_view(sides))
    else:
        session.write((_compared_row(sides, text) for sides in several), output)


def _compared_row(sides: "Mapping[str, RankedList]", text: bool) -> dict[str, Any]:
    """Return `{id, question, answers, answer_type, sides: {mode: ctxs}}`."""
    question = next(iter(sides.values())).question
    found = {mode: one.to_json(text)["ctxs"] for mode, one in sides.items()}
    return {**question.to_json(), "sides": found}


def check_explained(config: SearchConfig, explain: bool, compared: str | None, tune: str | None) -> None:
    """Refuse what has no effect with `--explain` or `--compare`.

    Raises:
        UsageError: names it.
    """
    option = "--explain" if explain else "--compare"
    if explain and compared is not None:
        raise UsageError("--explain and --compare contradict each other")
    if tune is not None:
        raise UsageError(f"{option} has no effect with --tune-lambda")
    if config.format not in (None, "text", "jsonl"):
        raise UsageError(f"{option} and --format {config.format} contradict each other")


def explained_view(explained: "ExplainedList") -> "RenderableType":
    """Return a question's passages with the scores behind their ranks."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from densecli.cli.snippets import ranked_view

    parts = ranked_view(explained.ranked)
    if not explained.ranked.ctxs or not isinstance(parts, Group):
        return parts
    shown = [parts.renderables[0]]
    # ranked_view gives a heading and a snippet for each passage
    for place, one in enumerate(explained.explanations):
        heading, snippet = parts.renderables[1 + 2 * place : 3 + 2 * place]
        scores = Padding(Text(_scores(one, explained), style="dim"), (0, 0, 0, 4))
        shown += [heading, scores, snippet]
    return Group(*shown)


def compared_view(sides: "Mapping[str, RankedList]") -> "RenderableType":
    """Return what several kinds of search found in columns, with matched words and answers marked."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from densecli.cli.snippets import ranked_view
    from densecli.text.foreign_text import mask

    question = next(iter(sides.values())).question
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    columns = []
    for mode, ranked in sides.items():
        table.add_column(mode, ratio=1, overflow="fold", header_style="bold")
        view = ranked_view(ranked)
        columns.append(Group(*view.renderables[1:]) if isinstance(view, Group) else Text("nothing found"))
    table.add_row(*columns)
    return Group(Text(mask(question.question), style="bold underline"), table)


def _scores(one: "Explanation", explained: "ExplainedList") -> str:
    from densecli.text.foreign_text import mask

    parts = []
    if one.dense is not None:
        parts.append(f"dense {one.dense:.2f} (rank {one.dense_rank or '-'})")
    if one.bm25 is not None:
        terms = ", ".join(f"{mask(term)} {value:.2f}" for term, value in list(one.terms.items())[:MOST_TERMS])
        parts.append(f"BM25 {one.bm25:.2f} (rank {one.bm25_rank or '-'})" + (f": {terms}" if terms else ""))
    if explained.weight is not None:
        parts.append(f"fused = BM25 + {explained.weight:.4g} dense")
    elif explained.fusion == "rrf":
        parts.append("fused = sum of 1 / (60 + rank)")
    return " · ".join(parts)

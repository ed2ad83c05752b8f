"""`search --explain` and `search --compare`: why passages are found."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.questions import Conversation
from densecli.cli.session import Session
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.records import Question


def deliver_explained(
    session: Session,
    questions: "Question | Path | Conversation | None",
    compare: str | None,
    arguments: dict[str, Any],
    people: bool,
    text: bool,
    output: Path | None,
) -> None:
    """Search with an explanation of each hit, or in the modes of `compare`; show or write what is found."""
    from densecli.workflows.explain import compare_modes, comparison_to_json, explain

    if questions is None:
        raise UsageError("--explain and --compare take a question or a file of them, not --dataset")
    if compare is None:
        explained = explain(questions, **arguments)
        if people:
            from densecli.cli.views import explained_view

            session.terminal.show_each(map(explained_view, explained))
        else:
            session.write((one.to_json(text) for one in explained), output)
        return
    compared = compare_modes(questions, compare.split(","), **arguments)
    if people:
        from densecli.cli.views import compared_view

        session.terminal.show_each(map(compared_view, compared))
    else:
        session.write((comparison_to_json(sides, text) for sides in compared), output)

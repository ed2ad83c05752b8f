"""`search --tune-lambda` and `read --tune`: what was found is shown as a table, or written."""

from pathlib import Path
from typing import Any

from densecli.cli.session import Session
from densecli.cli.terminal import plain_table


def tune_weight(session: Session, arguments: dict[str, Any], people: bool, output: Path | None) -> None:
    """Find λ, and show the accuracy of both sides and of their fusion."""
    from densecli.workflows.tune import tune_fusion_weight, weight_table

    best = tune_fusion_weight(**arguments)
    if people:
        session.terminal.show(plain_table(weight_table(best)))
    else:
        session.write([best.to_json()], output)


def tune_reader(
    session: Session, dev: Path, arguments: dict[str, Any], people: bool, output: Path | None
) -> None:
    """Find how answers are best chosen, and show exact match of each rule."""
    from densecli.workflows import read

    tuned = read.tune_reader(dev, **arguments)
    if people:
        session.terminal.show(*map(plain_table, tuned.tables()))
    else:
        session.write([tuned.to_json()], output)

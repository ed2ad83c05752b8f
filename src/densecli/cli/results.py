"""Results: shown to people, or written for programs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.session import Session
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.report.text_table import TextTable


def for_people(
    session: Session, form: str | None, json: bool, output: Path | None, what: str = "--format text"
) -> bool:
    """Whether results are shown as people read them: on a terminal, or because of `--format text`.

    Raises:
        UsageError: the options contradict each other.
    """
    if form == "text":
        for option, given in (("--json", json), ("--output", output is not None)):
            if given:
                raise UsageError(f"{option} and {what} contradict each other")
        return True
    if json and form not in (None, "jsonl"):
        raise UsageError(f"--json and --format {form} contradict each other")
    return session.terminal.shows_tables and not (json or form) and output is None


def deliver_tables(
    session: Session,
    tables: "Iterable[TextTable]",
    row: Mapping[str, Any],
    people: bool,
    output: Path | None,
) -> None:
    """Show a result as tables, or write it as one line of JSON."""
    if people:
        session.terminal.show(*tables)
    else:
        session.write([row], output)

"""Results: shown to people, or written for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.session import Session
from densecli.cli.terminal import flush_each
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.configs.asking import SearchConfig
    from densecli.records import RankedList
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


def drop_unused_format(
    session: Session, config: "SearchConfig", other_form: bool, output: Path | None
) -> "SearchConfig":
    """Return the config without a format of the environment or of a file that has no effect on this run."""
    if "format" in session.typed or not (other_form or (output is not None and config.format == "text")):
        return config
    return replace(config, format=None)


def write_ranked(
    session: Session,
    ranked: "Iterable[RankedList]",
    config: "SearchConfig",
    text: bool,
    output: Path | None,
) -> None:
    """Write ranked lists as they come.

    Raises:
        InputError: an id is empty, has a space or comes twice, which the format cannot hold.
    """
    form = config.format or "jsonl"
    if form == "jsonl":
        session.write((one.to_json(text) for one in ranked), output)
        return
    from densecli.formats.write_results import write_results
    from densecli.workflows.reporting import collect_bad_records, report_skipped

    bad = collect_bad_records(config.on_error, session.terminal)
    with session.data_out(output) as stream:
        write_results(flush_each(ranked, stream), form, stream, bad)
    report_skipped(bad, session.terminal)


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

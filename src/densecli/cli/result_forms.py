"""The forms in which results are given to people and to programs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.session import Session
from densecli.cli.terminal import flushed
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.records import RankedList


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
    return session.terminal.shows_tables and not (json or form) and output is None


def check_form(form: str | None, text: bool, json: bool) -> None:
    """Refuse options that contradict a form.

    Raises:
        UsageError: names them.
    """
    if form in (None, "jsonl", "text"):
        return
    if json:
        raise UsageError(f"--json and --format {form} contradict each other")
    if not text:
        raise UsageError("--no-text has an effect only with --format jsonl")


def write_results(
    session: Session, ranked: "Iterable[RankedList]", form: str, text: bool, output: Path | None
) -> None:
    """Write ranked lists as they come.

    Raises:
        InputError: an id is empty or has a space.
    """
    if form == "jsonl":
        session.write((one.to_json(text) for one in ranked), output)
        return
    from densecli.formats.write_results import write_results as write

    with session.data_out(output) as stream:
        write(flushed(ranked, stream), form, stream)

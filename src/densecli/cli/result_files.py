"""What the arguments of `evaluate` mean: files of results by name, or questions to search and measure."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.session import Session
from densecli.configs.asking import ReadConfig, SearchConfig
from densecli.errors import UsageError
from densecli.files.names import display_path

if TYPE_CHECKING:
    from densecli.workflows.evaluate import Evaluation

    Measured = tuple[Evaluation, Mapping[str, Mapping[int, float]]]


def measure_results(
    session: Session, results: list[str] | None, questions: str | None, passages: Path | None, **given: Any
) -> "Measured":
    """Measure results, or those of a search of the questions, with the time that it takes.

    Raises:
        UsageError: there are neither results nor questions, or passages without results.
    """
    from densecli.workflows.evaluate import evaluate
    from densecli.workflows.texts import Texts

    if results is not None or not _is_search(session, given["dataset"] or questions):
        return evaluate(_name_rows(results or ["-"]), texts=Texts(questions, passages), **given), {}
    if passages is not None:
        raise UsageError("--passages has an effect only on results; without them the workspace is searched")
    from densecli.workflows.evaluate_search import evaluate_search

    searched = evaluate_search(
        time.perf_counter,
        questions=None if questions is None else Path(questions),
        search_config=session.standing_config(SearchConfig, "search"),
        read_config=session.standing_config(ReadConfig, "read"),
        **given,
    )
    return searched.evaluation, searched.latencies


def _is_search(session: Session, asked: str | None) -> bool:
    """Return whether no results are piped in, but questions to search are named.

    Raises:
        UsageError: there are neither.
    """
    try:
        session.input_or_stdin(None, "results")
    except UsageError:
        if asked is None:
            raise
        return True
    return False


def _name_rows(results: Sequence[str]) -> dict[str, Path]:
    """Return the paths of results by the names of their rows.

    Raises:
        UsageError: two have one name.
    """
    sources: dict[str, Path] = {}
    for given, path in map(_named, results):
        name = display_path(given)
        if name in sources:
            raise UsageError(f"two rows are named {name!r}; give each a name of its own: NAME=FILE")
        sources[name] = Path(path)
    return sources


def _named(source: str) -> tuple[str, str]:
    name, equals, path = source.partition("=")
    if equals and not os.path.exists(source):
        return name, path
    return ("stdin" if source == "-" else source), source

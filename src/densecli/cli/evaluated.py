"""What `evaluate` measures, and how the measures are shown or written."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.session import Session, is_pipe, is_standard_output
from densecli.configs.asking import EvaluateConfig, ReadConfig, SearchConfig
from densecli.errors import UsageError
from densecli.files.streams import STDIN

if TYPE_CHECKING:
    from densecli.workflows.evaluate import Evaluation


def run_evaluation(
    session: Session, results: list[str] | None, questions: str | None, passages: Path | None, **given: Any
) -> "Evaluation":
    """Measure results, or those of a search of the questions.

    Raises:
        UsageError: there are neither results nor questions, or passages without results.
    """
    from densecli.workflows.evaluate import evaluate, name_results
    from densecli.workflows.texts import Texts

    if results is not None or not _is_search(session, questions or given["dataset"]):
        return evaluate(name_results(results or ["-"]), texts=Texts(questions, passages), **given)
    if passages is not None:
        raise UsageError("--passages has an effect only on results; without them the workspace is searched")
    from densecli.workflows.evaluate_search import evaluate_search

    return evaluate_search(
        time.perf_counter,
        questions=None if questions is None else Path(questions),
        search_config=session.config_of_command(SearchConfig, "search"),
        read_config=session.config_of_command(ReadConfig, "read"),
        **given,
    )


def _is_search(session: Session, questions: str | None) -> bool:
    """Return whether no results are piped in, but questions to search are named.

    Raises:
        UsageError: there are neither.
    """
    if questions == STDIN:
        return True
    try:
        session.input_or_stdin(None, "results", "to search the questions" if questions is not None else "")
    except UsageError:
        if questions is None:
            raise
        if is_pipe(sys.stdin.buffer):  # the command before may have failed
            session.terminal.message("nothing came through the pipe: searching the questions instead")
        return True
    return False


def show_evaluation(
    session: Session,
    found: "Evaluation",
    config: EvaluateConfig,
    form: str | None,
    output: Path | None,
) -> None:
    """Show what was measured as a table, or write it in `form`; report what was counted."""
    from densecli.counts import format_counts
    from densecli.workflows.evaluation_tables import (
        describe_sources,
        evaluation_bytes,
        evaluation_table,
        latency_table,
        legend,
    )

    if form is None:
        session.terminal.show(evaluation_table(found))
        session.terminal.message(legend(found, config.resamples))
        session.terminal.message(describe_sources(found))
        if found.latencies:
            session.terminal.show(latency_table(found.latencies))
    else:
        with session.data_out(output) as stream:
            stream.write(evaluation_bytes(found, config, form))
    if found.note:
        session.terminal.message(found.note)
    for name, summary in found.measured.items():
        counts = format_counts(+summary.counts)
        if counts:
            session.terminal.message(f"{name}: {counts}")


def save_pages(
    session: Session, found: "Evaluation", config: EvaluateConfig, plot: Path | None, report: Path | None
) -> None:
    """Write the picture of the curves and the HTML page, where they are asked for."""
    if plot is not None:
        from densecli.workflows.evaluation_report import accuracy_picture

        _save(session, accuracy_picture(found, plot), plot)
    if report is not None:
        from densecli.workflows.evaluation_report import evaluation_report

        _save(session, evaluation_report(found, config).encode(errors="backslashreplace"), report)


def _save(session: Session, data: bytes, path: Path) -> None:
    with session.data_out(path) as stream:
        stream.write(data)
    if not is_standard_output(path):
        session.terminal.message(f"wrote {path}")

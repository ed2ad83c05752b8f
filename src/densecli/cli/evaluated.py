"""What `evaluate` measured: shown as a table, or written in the format that was asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.session import Session
from densecli.configs.asking import EvaluateConfig

if TYPE_CHECKING:
    from densecli.workflows.evaluate import Evaluation


def show_evaluation(
    session: Session,
    found: "Evaluation",
    latencies: Mapping[str, Mapping[int, float]],
    config: EvaluateConfig,
    form: str | None,
    output: Path | None,
) -> None:
    """Show what was measured as a table, or write it in `form`; report what was counted."""
    from densecli.cli.terminal import plain_table
    from densecli.counts import format_counts
    from densecli.workflows.evaluation_tables import evaluation_bytes, evaluation_table, latency_table, legend

    if form is None:
        session.terminal.show(plain_table(evaluation_table(found)))
        session.terminal.message(legend(found, config.resamples))
        if latencies:
            session.terminal.show(plain_table(latency_table(latencies)))
    else:
        with session.data_out(output) as stream:
            stream.write(evaluation_bytes(found, config, form, latencies))
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
    if str(path) != "-":
        session.terminal.message(f"wrote {path}")

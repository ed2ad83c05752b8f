"""`densecli evaluate`: top-k accuracy and exact match."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.options import command
from densecli.cli.session import Session
from densecli.configs.asking import EvaluateConfig
from densecli.errors import ThresholdError, UsageError

if TYPE_CHECKING:
    from densecli.metrics.accuracy import Summary


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "evaluate", EvaluateConfig)
    def evaluate(
        session: Session,
        config: EvaluateConfig,
        results: Annotated[
            list[str] | None,
            typer.Argument(
                help="Files of search results or predictions, NAME=FILE to name a row, or - for stdin."
            ),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="File for the measures as JSON lines. [default: stdout]"),
        ] = None,
        json: Annotated[bool, typer.Option("--json", help="JSON lines even on a terminal.")] = False,
        table: Annotated[bool, typer.Option("--table", help="A table even in a pipe.")] = False,
    ) -> None:
        """Measure top-k accuracy and exact match."""
        if json and table:
            raise UsageError("--json and --table contradict each other")
        sources = dict(_named(source) for source in results or [session.input_or_stdin(None, "results")])
        summaries = {name: _summary(session, config, path) for name, path in sources.items()}
        if table or (session.terminal.shows_tables and not json and output is None):
            from densecli.cli.tables import accuracy_table

            session.terminal.show(accuracy_table(summaries))
        else:
            session.write(({"results": name, **s.to_json()} for name, s in summaries.items()), output)
        for name, summary in summaries.items():
            told = [
                f"{reason.replace('_', ' ')}: {count:,}" for reason, count in summary.counts.items() if count
            ]
            if told:
                session.terminal.say(f"{name}: {', '.join(told)}")
            _check_threshold(name, summary, config.fail_under)


def _named(source: str) -> tuple[str, str]:
    name, equals, path = source.partition("=")
    if equals and not os.path.exists(source):
        return name, path
    return ("stdin" if source == "-" else source), source


def _summary(session: Session, config: EvaluateConfig, path: str) -> "Summary":
    from collections import Counter

    from densecli.io.jsonl import read_records
    from densecli.metrics.accuracy import summarize
    from densecli.records import result_from_json
    from densecli.stages.evaluate import evaluate

    counts: Counter[str] = Counter()
    records = session.terminal.track(read_records(path, result_from_json), "evaluate", unit="questions ")
    summary = summarize(evaluate(records, config, counts))
    summary.counts.update(counts)
    return summary


def _check_threshold(name: str, summary: "Summary", least: float | None) -> None:
    if least is None:
        return
    measure = "exact match" if summary.exact_match is not None else "top-20 accuracy"
    value = summary.exact_match if summary.exact_match is not None else summary.top_k.get(20)
    if value is None:
        raise UsageError("--fail-under needs predictions, or results with at least 20 passages")
    if value < least:
        raise ThresholdError(f"{name}: {measure} is {value:.1f}, below {least:g}")

"""`densecli evaluate`: how good search results and answers are."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from densecli.cli.options import command, standing_config
from densecli.cli.result_forms import for_people
from densecli.cli.session import Session
from densecli.cli.shared_options import DataDirOption, DatasetOption, JsonOption, SplitOption, TextsOption
from densecli.configs.asking import EvaluateConfig, ReadConfig, SearchConfig
from densecli.counts import format_counts
from densecli.errors import UsageError
from densecli.files.names import display_path

if TYPE_CHECKING:
    from densecli.workflows.evaluate import Evaluation

SCHEMA = 1
"""Of the JSON document; another number means that old readers cannot read it."""


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
            typer.Option("--output", "-o", help="File for the measures. [default: stdout]"),
        ] = None,
        questions: Annotated[
            str | None,
            typer.Option(
                "--questions",
                help="File of the questions that count. Those without a result are misses. Runs need it, "
                "or --qrels.",
            ),
        ] = None,
        passages: TextsOption = None,
        dataset: DatasetOption = None,
        split: SplitOption = None,
        data_dir: DataDirOption = None,
        qrels: Annotated[
            str | None,
            typer.Option("--qrels", help="File of relevance judgments, as TREC or BEIR write them."),
        ] = None,
        measure: Annotated[
            list[str] | None,
            typer.Option(
                "--measure",
                "-m",
                help="A measure of the qrels by its name in ir-measures, such as nDCG@10, RR@10, AP or P@5. "
                "Can be repeated. [default: nDCG@10, RR@10, R@100]",
            ),
        ] = None,
        plot: Annotated[
            Path | None,
            typer.Option(
                "--plot", help="Picture of the accuracy over k: FILE.svg, or FILE.png with matplotlib."
            ),
        ] = None,
        report: Annotated[
            Path | None,
            typer.Option(
                "--report", help="HTML page with tables, curves, and the questions that runs win and lose."
            ),
        ] = None,
        form: Annotated[
            Literal["jsonl", "text", "json", "csv", "md", "latex"] | None,
            typer.Option(
                "--format",
                help="JSON lines, readable text, one JSON document, or a table as CSV, Markdown or LaTeX. "
                "[default: text on a terminal, else jsonl]",
            ),
        ] = None,
        json: JsonOption = False,
        table: Annotated[bool, typer.Option("--table", help="The same as --format text.")] = False,
    ) -> None:
        """Measure top-k accuracy, exact match, F1, and nDCG and others with relevance judgments.

        Every question counts: with --questions, --dataset or --qrels, one without a result is a miss.
        Several results are compared with the first. With --dataset, published rows stand below.
        Without results it searches the questions in the workspace, and reads answers if it has a reader.
        """
        if table and form not in (None, "text"):
            raise UsageError(f"--table and --format {form} contradict each other")
        if json and form not in (None, "text", "jsonl"):
            raise UsageError(f"--json and --format {form} contradict each other")
        people = for_people(session, "text" if table else form, json, output, "--table")
        from densecli.report.accuracy_curves import check_plot

        check_plot(plot)

        given: dict[str, Any] = {
            "dataset": dataset,
            "split": split,
            "data_dir": data_dir,
            "qrels": qrels,
            "measures": measure or (),
            "details": report is not None,
            **session.arguments(config),
        }
        found, latencies = _measure(session, results, questions, passages, given)
        if people:
            from densecli.cli.tables import evaluation_table, latency_table, legend

            session.terminal.show(evaluation_table(found))
            session.terminal.message(legend(found, config.resamples))
            if latencies:
                session.terminal.show(latency_table(latencies))
        else:
            _write(session, found, config, latencies, form or "jsonl", output)
        _save_pages(session, found, config, plot, report)
        if found.note:
            session.terminal.message(found.note)
        for name, summary in found.measured.items():
            counts = format_counts(+summary.counts)
            if counts:
                session.terminal.message(f"{name}: {counts}")
        found.check_threshold(config.fail_under)


def _write(
    session: Session,
    found: "Evaluation",
    config: EvaluateConfig,
    latencies: Mapping[str, Mapping[int, float]],
    form: str,
    output: Path | None,
) -> None:
    measured, published, comparisons = _records(found, config)
    if latencies:
        told = {stage: {f"p{one}": value for one, value in row.items()} for stage, row in latencies.items()}
        measured[0]["latency_ms"] = told
    if form == "jsonl":
        session.write([*measured, *published, *comparisons], output)
        return
    if form == "json":
        from densecli.files.jsonl import encode_line

        parts = {"results": measured, "published": published, "comparisons": comparisons}
        data = encode_line({"schema": SCHEMA, **found.reference, "note": found.note, **parts})
    else:
        from densecli.cli.tables import csv_table, latex_table, markdown_table

        if form == "md":
            data = markdown_table(found, config.resamples).encode()
        else:
            data = (csv_table if form == "csv" else latex_table)(found).encode()
    with session.data_out(output) as stream:
        stream.write(data)


def _save_pages(
    session: Session, found: "Evaluation", config: EvaluateConfig, plot: Path | None, report: Path | None
) -> None:
    if plot is not None:
        from densecli.report.accuracy_curves import accuracy_picture

        _save(session, accuracy_picture(found.curves, plot), plot)
    if report is not None:
        from densecli.workflows.evaluation_report import evaluation_report

        _save(session, evaluation_report(found, config).encode(errors="backslashreplace"), report)


def _save(session: Session, data: bytes, path: Path) -> None:
    with session.data_out(path) as stream:
        stream.write(data)
    if str(path) != "-":
        session.terminal.message(f"wrote {path}")


def _records(found: "Evaluation", config: EvaluateConfig) -> tuple[list[dict[str, Any]], ...]:
    """Return what was measured, what is published, and the comparisons, as records."""
    measured = [
        {
            "results": name,
            **summary.to_json(),
            "input": found.inputs.get(name),
            "answer_type": found.answer_type,
            "resamples": config.resamples,
            "seed": config.seed,
        }
        for name, summary in found.measured.items()
    ]
    published = [
        {"results": name, "published": True, "note": found.note, **summary.to_json()}
        for name, summary in found.published.items()
    ]
    return measured, published, [one.to_json() for one in found.comparisons]


def _rows(results: Sequence[str]) -> dict[str, str]:
    """Return the paths of results by the names of their rows.

    Raises:
        UsageError: two have one name.
    """
    sources: dict[str, str] = {}
    for given, path in map(_named, results):
        name = display_path(given)
        if name in sources:
            raise UsageError(f"two rows are named {name!r}; give each a name of its own: NAME=FILE")
        sources[name] = path
    return sources


def _named(source: str) -> tuple[str, str]:
    name, equals, path = source.partition("=")
    if equals and not os.path.exists(source):
        return name, path
    return ("stdin" if source == "-" else source), source


def _measure(
    session: Session,
    results: list[str] | None,
    questions: str | None,
    passages: Path | None,
    given: dict[str, Any],
) -> "tuple[Evaluation, Mapping[str, Mapping[int, float]]]":
    """Measure results, or those of a search of the questions, with the time that it takes.

    Raises:
        UsageError: there are neither results nor questions, or passages for results that are not there.
    """
    from densecli.workflows.evaluate import evaluate
    from densecli.workflows.texts import Texts

    if results is None and _is_search(session, given["dataset"] or questions):
        if passages is not None:
            raise UsageError(
                "--passages has an effect only on results; without them the workspace is searched"
            )
        return _search(session, questions, given)
    sources = {name: Path(path) for name, path in _rows(results or ["-"]).items()}
    return evaluate(sources, texts=Texts(questions, passages), **given), {}


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


def _search(
    session: Session, questions: str | None, given: dict[str, Any]
) -> "tuple[Evaluation, Mapping[str, Mapping[int, float]]]":
    """Search the questions in the workspace, and measure what is found."""
    import time

    from densecli.workflows.evaluate_search import evaluate_search

    searched = evaluate_search(
        time.perf_counter,
        questions=None if questions is None else Path(questions),
        search_config=standing_config(session, SearchConfig, "search"),
        read_config=standing_config(session, ReadConfig, "read"),
        **given,
    )
    return searched.evaluation, searched.latencies

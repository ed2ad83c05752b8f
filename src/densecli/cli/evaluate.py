"""`densecli evaluate`: how good search results and answers are."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from densecli.cli.evaluated import run_evaluation, save_pages, show_evaluation
from densecli.cli.results import for_people
from densecli.cli.session import Session
from densecli.cli.shared_options import DataDirOption, DatasetOption, JsonOption, SplitOption, TextsOption
from densecli.configs.asking import EvaluateConfig
from densecli.errors import UsageError


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
        typer.Option(help="File of relevance judgments, as TREC or BEIR write them."),
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
        typer.Option(help="Picture of the accuracy over k: FILE.svg, or FILE.png with matplotlib."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="HTML page with tables, curves, and the questions that runs win and lose."),
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
    """Measure top-k accuracy, exact match, F1 and nDCG.

    Every question counts: with --questions, --dataset or --qrels, one without a result is a miss.
    Several results are compared with the first. With --dataset, the table also has published results.
    Without results it searches the questions in the workspace, and reads answers if it has a reader.
    """
    if table and form not in (None, "text"):
        raise UsageError(f"--table and --format {form} contradict each other")
    people = for_people(session, "text" if table else form, json, output, "--table")
    from densecli.workflows.evaluation_report import check_plot

    check_plot(plot)
    session.check_outputs(output, plot, report)
    found = run_evaluation(
        session,
        results,
        questions,
        passages,
        dataset=dataset,
        split=split,
        data_dir=data_dir,
        qrels=qrels,
        measures=measure or (),
        details=report is not None,
        **session.arguments(config),
    )
    closed = None
    try:
        show_evaluation(session, found, config, None if people else form or "jsonl", output)
    except BrokenPipeError as error:
        closed = error  # nobody reads the table, but the pages and the exit code still count
    save_pages(session, found, config, plot, report)
    found.check_threshold(config.fail_under)
    if closed is not None:
        raise closed

"""`densecli mine-negatives`: questions to training examples."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.artifacts.workspace import EXAMPLES_FILE
from densecli.cli.options import Force
from densecli.cli.session import Session
from densecli.cli.shared_options import (
    DataDirOption,
    DatasetOption,
    PassagesOption,
    RetrieverOption,
    SplitOption,
)
from densecli.configs.mining import MineConfig
from densecli.errors import UsageError


def mine_negatives(
    session: Session,
    config: MineConfig,
    questions: Annotated[
        str | None,
        typer.Argument(
            help="Questions with answers, gold passages or training examples (docs/formats.md), or -."
        ),
    ] = None,
    passages: PassagesOption = None,
    bm25: Annotated[
        Path | None,
        typer.Option(help="BM25 index; built if it is missing. [default: WORKSPACE/bm25]"),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(help="Index for dense negatives. [default: WORKSPACE/index]"),
    ] = None,
    retriever: RetrieverOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/examples/QUESTIONS]"),
    ] = None,
    dataset: DatasetOption = None,
    split: SplitOption = None,
    data_dir: DataDirOption = None,
    audit_size: Annotated[
        int,
        typer.Option(
            "--audit", min=0, max=1000, help="Show this many random examples with highlighted answers."
        ),
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Processes that mine. [default: one per core]"),
    ] = None,
    force: Force = False,
) -> None:
    """Find a positive and hard negatives for each question.

    The result is what `train` reads: one example for each question that has a positive passage. An
    interrupted run resumes where it was stopped.
    """
    from densecli.workflows.mine_negatives import mine_negatives as run

    if audit_size and session.terminal.quiet:
        raise UsageError("--audit has no effect with --quiet")
    if dataset is None:
        questions = session.input_or_stdin(questions, "questions")
    arguments = session.arguments(config)
    if audit_size:
        arguments.pop("seed", None)  # it has an effect, on the audit; the config still has it
    made = run(
        questions,
        passages=passages,
        bm25=bm25,
        index=index,
        retriever=retriever,
        dataset=dataset,
        split=split,
        data_dir=data_dir,
        output=output,
        workers=workers,
        force=force,
        **arguments,
    )
    if audit_size:
        _show_examples(session, made.folder / EXAMPLES_FILE, audit_size, config.seed)


def _show_examples(session: Session, path: Path, size: int, seed: int) -> None:
    """Show random examples of a file on stderr; without colors answers are in brackets."""
    from densecli.cli.views import example_view
    from densecli.formats.draw_examples import draw_examples

    brackets = session.terminal.console(stderr=True).color_system is None
    for example in draw_examples(path, size, seed):
        session.terminal.show(example_view(example, brackets), stderr=True)

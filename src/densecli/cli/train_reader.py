"""`densecli train-reader`: search results to a reader."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import Force
from densecli.cli.session import Session
from densecli.cli.shared_options import ExcludeOption, SaveEveryOption, TensorBoardOption
from densecli.configs.training import TrainReaderConfig
from densecli.training.interruption import stop_on_ctrl_c


def train_reader(
    session: Session,
    config: TrainReaderConfig,
    results: Annotated[
        list[str] | None,
        typer.Argument(
            help="Search results with text for questions with answers, or SQuAD's articles: files, or - for "
            "stdin."
        ),
    ] = None,
    dev: Annotated[
        str | None,
        typer.Option(help="Search results to validate on after each epoch. The best reader is kept."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/reader]")
    ] = None,
    joint: Annotated[
        str | None,
        typer.Option(
            metavar="RETRIEVER",
            help="Also train the question encoder of this retriever, against all passages retrieved for "
            "a batch. The result is OUTPUT/retriever; existing vectors and index fit it. [paper: "
            "appendix D]",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(metavar="READER", help="Reader to continue from, in place of --encoder."),
    ] = None,
    gold: Annotated[
        str | None,
        typer.Option(help="Questions with the passage that answers them, for --choice dpr: a file."),
    ] = None,
    negatives_from: Annotated[
        Path | None,
        typer.Option(
            metavar="WORKSPACE",
            help="Search this collection for negatives of the questions of SQuAD's articles.",
        ),
    ] = None,
    exclude: ExcludeOption = None,
    save_every: SaveEveryOption = None,
    tensorboard: TensorBoardOption = None,
    force: Force = False,
) -> None:
    """Train the reader on search results or SQuAD articles.

    A question that is also a test question is dropped and counted.
    """
    from densecli.workflows.train_reader import train_reader as run

    with stop_on_ctrl_c(session.ranks, session.terminal.message) as stop_requested:
        run(
            results or session.input_or_stdin(None, "search results"),
            dev=dev,
            output=output,
            joint=joint,
            init=init,
            gold=gold,
            negatives_from=negatives_from,
            exclude=exclude or (),
            save_every=save_every,
            tensorboard=tensorboard,
            force=force,
            stop_requested=stop_requested,
            **session.arguments(config),
        )

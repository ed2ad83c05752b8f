"""`densecli train`: training examples to a retriever."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import Force
from densecli.cli.session import Session
from densecli.cli.shared_options import (
    DataDirOption,
    DatasetOption,
    ExcludeOption,
    SaveEveryOption,
    SplitOption,
    TensorBoardOption,
)
from densecli.configs.training import TrainConfig
from densecli.training.interruption import stop_on_ctrl_c


def train(
    session: Session,
    config: TrainConfig,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXAMPLES",
            help="Training examples: files (docs/formats.md), names of sets made by "
            "mine-negatives, or -. Several are several sets. [default: the only set in "
            "WORKSPACE/examples]",
        ),
    ] = None,
    dev: Annotated[
        str | None,
        typer.Option(
            help="Examples to validate on after each epoch (with --validate-by search: "
            "questions with answers). The best model is kept.",
        ),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(
            help="Vectors of the fixed passage encoder, to use instead of encoding passages "
            "again. [default: WORKSPACE/vectors if they fit]",
        ),
    ] = None,
    passages: Annotated[
        Path | None,
        typer.Option(help="Passage store of --vectors. [default: WORKSPACE/passages]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/retriever]"),
    ] = None,
    dataset: DatasetOption = None,
    split: SplitOption = None,
    data_dir: DataDirOption = None,
    exclude: ExcludeOption = None,
    save_every: SaveEveryOption = None,
    tensorboard: TensorBoardOption = None,
    force: Force = False,
) -> None:
    """Train the question and the passage encoder.

    A batch never mixes several sets. With --dataset multi: nq and trivia, and webq and trec four times
    each, as in the paper. A question that is also a test question is dropped and counted.
    """
    from densecli.workflows.train import train as run

    with stop_on_ctrl_c(session.ranks, session.terminal.message) as stop_requested:
        run(
            files or None,
            dev=dev,
            vectors=vectors,
            passages=passages,
            output=output,
            dataset=dataset,
            split=split,
            data_dir=data_dir,
            exclude=exclude or (),
            save_every=save_every,
            tensorboard=tensorboard,
            force=force,
            ranks=session.ranks,
            stop_requested=stop_requested,
            **session.arguments(config),
        )

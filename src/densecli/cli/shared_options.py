"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

RetrieverOption = Annotated[
    str | None,
    typer.Option(
        "--retriever",
        help="Retriever: a folder, a Hub name, or `starter`. [default: WORKSPACE/retriever, else starter]",
    ),
]
ReaderOption = Annotated[
    str | None,
    typer.Option("--reader", help="Reader: a folder or `starter`. [default: WORKSPACE/reader, else starter]"),
]
PassagesOption = Annotated[
    Path | None, typer.Option("--passages", help="Passage store. [default: WORKSPACE/passages]")
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="A dataset of the paper: nq, trivia, webq, trec or squad. Downloaded if it is not on this disk.",
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="train, dev or test of --dataset. [default: train for train and mine-negatives, else test]",
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder with files of --dataset. [default: WORKSPACE/data]"),
]
QuestionsOption = Annotated[
    str | None, typer.Option("--questions", help="File of questions, for input that has only question ids.")
]
TextsOption = Annotated[
    Path | None, typer.Option("--passages", help="Passage store, for input that has only passage ids.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON lines even on a terminal.")]
TextOrLines = Annotated[
    Literal["jsonl", "text"] | None,
    typer.Option("--format", help="JSON lines, or readable text. [default: text on a terminal, else jsonl]"),
]
AskOption = Annotated[
    bool, typer.Option("--ask", help="Treat the argument as a question, even if a file has that name.")
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        help="File of questions to leave out of training, in addition to the test questions of the "
        "paper's datasets on this disk. Can be repeated.",
    ),
]
SaveEveryOption = Annotated[
    int | None,
    typer.Option(
        "--save-every",
        min=1,
        help="Updates between two checkpoints. [default: every ten minutes, and after epochs of a "
        "minute or more]",
    ),
]
TensorBoardOption = Annotated[
    Path | None,
    typer.Option("--tensorboard", help="Folder for TensorBoard files. Needs the package tensorboard."),
]

"""`densecli convert`: a file or folder of one program to the form of another."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import Force
from densecli.cli.session import Session, is_standard_output
from densecli.cli.shared_options import QuestionsOption, RetrieverOption, TextsOption
from densecli.cli.terminal import data_stream
from densecli.configs.convert import ConvertConfig


def convert(
    session: Session,
    config: ConvertConfig,
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="Questions, training examples, results, runs, judgments or passages (- is "
            "stdin); a model, vectors or an index.",
        ),
    ],
    form: Annotated[
        str | None,
        typer.Option("--from", help="Format of the input. [default: detected from the first record]"),
    ] = None,
    questions: QuestionsOption = None,
    passages: TextsOption = None,
    retriever: RetrieverOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File (.gz, .bz2, .xz, .zst compress) or folder. Models, vectors, indexes and BEIR folders "
            "need it. [default: stdout]",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Rewrite a file, a model, vectors or an index for another program."""
    from densecli.workflows.convert import convert as run

    run(
        source,
        output=data_stream() if output is None or is_standard_output(output) else output,
        form=form,
        questions=questions,
        passages=passages,
        retriever=retriever,
        force=force,
        **session.arguments(config),
    )

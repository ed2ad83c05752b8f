"""`densecli preprocess`: a corpus to a passage store."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import Force
from densecli.cli.session import Session
from densecli.configs.corpus import PreprocessConfig


def preprocess(
    session: Session,
    config: PreprocessConfig,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files (JSONL, JSON, TSV, CSV or Parquet with id, title and text; psgs_w100 TSV;"
            " Wikipedia dumps; WikiExtractor's output; also compressed), folders of documents or of"
            " BEIR, or - for stdin."
        ),
    ] = None,
    hf: Annotated[
        list[str] | None,
        typer.Option(help="A corpus on the Hugging Face Hub, streamed: wikimedia/wikipedia:20231101.en."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/passages]")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that parse and cut. [default: one per core]"),
    ] = None,
    force: Force = False,
) -> None:
    """Cut a corpus into passages of 100 words.

    An interrupted run resumes where it was stopped, unless it reads a pipe.
    """
    from densecli.workflows.preprocess import preprocess as run

    run(
        sources or (), hub=hf or (), output=output, workers=workers, force=force,
        **session.arguments(config),
    )  # fmt: skip

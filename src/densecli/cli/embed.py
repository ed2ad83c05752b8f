"""`densecli embed`: passages to vectors."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import Force
from densecli.cli.session import Session
from densecli.cli.shared_options import PassagesOption, RetrieverOption
from densecli.configs.corpus import EmbedConfig


def embed(
    session: Session,
    config: EmbedConfig,
    retriever: RetrieverOption = None,
    passages: PassagesOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/vectors]")
    ] = None,
    force: Force = False,
) -> None:
    """Turn passages into vectors.

    An interrupted run resumes where it was stopped. Vectors of a retriever with the same passage encoder
    are up to date.
    """
    from densecli.workflows.embed import embed as run

    run(retriever=retriever, passages=passages, output=output, force=force, **session.arguments(config))

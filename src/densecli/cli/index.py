"""`densecli index`: vectors, or words, to an index."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import Force
from densecli.cli.session import Session
from densecli.configs.corpus import IndexConfig


def index(
    session: Session,
    config: IndexConfig,
    vectors: Annotated[Path | None, typer.Option(help="Vectors. [default: WORKSPACE/vectors]")] = None,
    passages: Annotated[
        Path | None,
        typer.Option(help="Passage store, for bm25. [default: WORKSPACE/passages]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/index or /bm25]"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Processes that index words. [default: one per core]"),
    ] = None,
    force: Force = False,
) -> None:
    """Build a flat, hnsw or bm25 index."""
    from densecli.workflows.index import index as run

    run(
        vectors=vectors, passages=passages, output=output, workers=workers, force=force,
        **session.arguments(config),
    )  # fmt: skip

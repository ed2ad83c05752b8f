"""`densecli preprocess`: a corpus to a passage store."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.building import building
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.corpus import PreprocessConfig


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "preprocess", PreprocessConfig)
    def preprocess(
        session: Session,
        config: PreprocessConfig,
        sources: Annotated[
            list[str],
            typer.Argument(
                help="Files (JSONL {id, title, text}, psgs_w100 TSV), folders of .txt and .md, or -."
            ),
        ],
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/passages]")
        ] = None,
        force: Force = False,
    ) -> None:
        """Cut a corpus into passages of 100 words."""
        from densecli.io.passages import write_passages
        from densecli.io.sources import read_sources
        from densecli.stages.preprocess import preprocess as run

        target = output or session.workspace.passages
        with building(session, target, config, sources, force) as build:
            records = session.terminal.track(
                read_sources(sources, config.format), "preprocess", unit="records "
            )
            passages = run(records, config, build.counts)
            rows, build.fingerprint = write_passages(build.folder, passages, ", ".join(sources))
            build.counts["passages"] = rows

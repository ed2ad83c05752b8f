"""`densecli train-reader`: search results to a reader."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.building import building
from densecli.cli.fitting import Checkpoints, base_folder, follow
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.training import TrainReaderConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from densecli.records import RankedList


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "train-reader", TrainReaderConfig)
    def train_reader(
        session: Session,
        config: TrainReaderConfig,
        results: Annotated[
            list[str] | None,
            typer.Argument(
                help="Search results with text for questions with answers: files, or - for stdin."
            ),
        ] = None,
        dev: Annotated[
            str | None,
            typer.Option(
                "--dev", help="Search results to validate on after each epoch; the best reader is kept."
            ),
        ] = None,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/reader]")
        ] = None,
        force: Force = False,
    ) -> None:
        """Train the reader on search results."""
        sources = results or [session.input_or_stdin(None, "search results")]
        base = base_folder(config.encoder, "reader")
        inputs: list[str | Path] = [*sources, *([dev] if dev else []), base]
        with building(session, output or session.workspace.reader, config, inputs, force) as build:
            from densecli.encoders.folder import fingerprint
            from densecli.reader.torch_folder import open_reader_base, save_reader
            from densecli.stages.train_reader import train_reader as run

            reader = open_reader_base(str(base), config.max_tokens, config.max_answer_tokens, config.seed)
            saved = Checkpoints(build.folder, lambda folder: save_reader(reader, folder))
            session.terminal.say(f"training a reader from {base}")
            held_out = _results([dev]) if dev else None
            reports = run(_results(sources), held_out, reader, config, build.counts, saved.save)
            build.facts = follow(session, "train-reader", reports, build.folder)
            saved.settle()
            build.fingerprint = fingerprint(build.folder)


def _results(sources: list[str]) -> "Iterator[RankedList]":
    from densecli.io.doors.results import read_ranked

    return (one for source in sources for one in read_ranked(source))

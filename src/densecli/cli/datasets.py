"""`densecli datasets`: the datasets of the paper, and what of them is on this disk."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.session import Session
from densecli.cli.shared_options import JsonOption
from densecli.configs.data import DatasetsConfig


def datasets(
    session: Session,
    config: DatasetsConfig,
    name: Annotated[
        str | None, typer.Argument(help="nq, trivia, webq, trec, squad or multi. [default: all]")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder with files of datasets. [default: WORKSPACE/data]"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the datasets of the paper, and which parts are on this disk.

    --fetch brings a set here: questions and training examples, for work without a network.
    """
    from densecli.workflows.list_datasets import datasets_table, list_datasets

    found = list_datasets(name, data_dir=data_dir, **session.arguments(config))
    if session.terminal.shows_tables and not json:
        session.terminal.show(datasets_table(found))
    else:
        session.write((split.to_json() for split in found), None)

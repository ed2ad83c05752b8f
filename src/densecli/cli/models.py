"""Which model a command uses: a name, the workspace's own, or the starter that ships."""

from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.session import Session

STARTER = Path(__file__).parent.parent / "starter"
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


def model_place(session: Session, named: str | None, kind: str) -> str:
    """Return the folder (or Hub name) of the `retriever` or `reader` to use, and say when it is
    the starter although nothing asked for it."""
    starter = str(STARTER / kind)
    if named is not None:
        return starter if named == "starter" else named
    own = session.workspace.root / kind
    if own.exists():
        return str(own)
    if session.workspace.prepared:
        session.terminal.message(f"no {kind} in {session.workspace.root}: using the starter {kind}")
    return starter


def retriever_place(session: Session, named: str | None) -> str:
    """Return the retriever to use."""
    return model_place(session, named, "retriever")


def reader_place(session: Session, named: str | None) -> str:
    """Return the reader to use."""
    return model_place(session, named, "reader")


def model_folder(place: str) -> Path:
    """Return the local folder of a model, fetching it from the Hub when its name is one.

    Raises:
        ArtifactError: no such folder, and the Hub does not have it or is out of reach.
    """
    if Path(place).is_dir():
        return Path(place)
    from densecli.encoders.hub import local_folder

    return local_folder(place)

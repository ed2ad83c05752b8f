"""Which model a command uses: a name, the workspace's own, or the starter that ships."""

from pathlib import Path

from densecli.artifacts.manifest import describe_input, outline
from densecli.artifacts.recipe import Input
from densecli.artifacts.workspace import Workspace
from densecli.files.names import display_path
from densecli.models.folder import fingerprint, is_model_folder
from densecli.observer import Observer

STARTER = Path(__file__).parent.parent / "starter"


def model_place(workspace: Workspace, observer: Observer, named: str | None, kind: str) -> str:
    """Return the folder (or Hub name) of the `retriever` or `reader` to use.

    A message says so when it is the starter model and nobody named it.
    """
    starter = str(STARTER / kind)
    if named is not None:
        return starter if named == "starter" else named
    own = workspace.root / kind
    if own.exists():
        return str(own)
    if workspace.prepared:
        observer.message(f"no {kind} in {workspace.root}: using the starter {kind}")
    return starter


def retriever_place(workspace: Workspace, observer: Observer, named: str | None) -> str:
    """Return the retriever to use."""
    return model_place(workspace, observer, named, "retriever")


def reader_place(workspace: Workspace, observer: Observer, named: str | None) -> str:
    """Return the reader to use."""
    return model_place(workspace, observer, named, "reader")


def model_folder(place: str) -> Path:
    """Return the local folder of a model, fetching it from the Hub when its name is one.

    Raises:
        ArtifactError: no such folder, and the Hub does not have it or is out of reach.
    """
    if Path(place).is_dir():
        return Path(place)
    from densecli.models.hub import local_folder

    return local_folder(place)


def describe_model(folder: Path) -> Input:
    """Return the folder of a model as an input, by its files as they are now: people edit `model.json`."""
    # only where there is a manifest would its fingerprint be believed
    if not is_model_folder(folder) or outline(folder) is None:
        return describe_input(folder)
    return Input(display_path(folder), fingerprint(folder))


def base_folder(named: str, kind: str) -> Path:
    """Return the folder of the model that training of a `retriever` or `reader` starts from.

    Raises:
        ArtifactError: no such folder, and the Hub does not have it or is out of reach.
    """
    return model_folder(str(STARTER / kind) if named == "starter" else named)

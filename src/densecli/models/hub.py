"""A model named as on the Hugging Face Hub, brought to a local folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import HfApi, constants, get_cached_repo_tree, snapshot_download
from huggingface_hub.errors import (
    CachedRepoTreeNotFoundError,
    HFValidationError,
    LocalEntryNotFoundError,
)

from densecli.errors import ArtifactError
from densecli.files.network import why_offline

NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
FILES = ["*.json", "*.txt", "*.model"]
MODULES = ["*_Pooling/*.json", "*_Normalize/*.json"]
"""Settings of sentence-transformers' modules; a folder with others is refused."""
SAFE, PICKLED = "model*.safetensors", "pytorch_model*.bin"
OWNERS = {
    "albert-": "albert", "bert-": "google-bert", "distilbert-": "distilbert", "distilroberta-": "distilbert",
    "roberta-": "FacebookAI", "xlm-roberta-": "FacebookAI",
}  # fmt: skip
OPTIONS = "name `starter` (the model that comes with densecli) or the folder of a model on this disk instead"


def local_folder(source: str) -> Path:
    """Return the folder of a model: `source` itself, or what the Hub holds under that name.

    A whole copy in the Hub's cache is taken as it is, without asking the network. One that may be partial is
    taken only where there is no network. Names without an owner, such as `bert-base-uncased`, are those that
    the Hub gave up: the same model is looked for under both names.

    Raises:
        ArtifactError: no such folder and no such name, or the Hub is out of reach (said within
            about a second).
    """
    folder = Path(source).expanduser()
    if source and folder.is_dir():
        return folder
    if (source and folder.exists()) or not NAME.fullmatch(source) or source.startswith("."):
        raise ArtifactError(f"{source}: no such model folder; give a folder, a Hub name, or `starter`")
    names = hub_names(source)
    try:
        cached = _cached(names, listed=True)
        if cached is not None:
            return cached
        # asked before, because the Hub's own client can try for minutes
        why = why_offline(constants.ENDPOINT)
        cached = None if why is None else _cached(names, listed=False)
    except HFValidationError as error:
        raise ArtifactError(f"{source}: no such model folder, and no name on the Hub ({error})") from None
    if cached is not None:
        return cached
    if why is not None:
        raise ArtifactError(f"{source}: not on this disk, and {why}; {OPTIONS}")
    try:
        held = HfApi().list_repo_files(names[0])
        # one format: a repository often holds the same weights several times
        weights = SAFE if any(Path(name).match(SAFE) for name in held) else PICKLED
        return Path(snapshot_download(names[0], allow_patterns=[*FILES, *MODULES, weights]))
    except Exception as error:  # the Hub, the network and the disk fail in many classes
        cached = _cached(names, listed=False)
        if cached is not None:
            return cached  # as for a model that is not public any more
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ArtifactError(f"{source}: the Hub gives no such model ({line}); {OPTIONS}") from None


def _cached(names: Sequence[str], listed: bool) -> Path | None:
    """Return a copy with weights in the Hub's cache, or None.

    Args:
        names: the names of the model.
        listed: whether the list of the model's files must be there, too, which tells a whole copy from a
            partial one: other programs fetch files one by one, and may leave out how states are pooled.
    """
    for name in names:
        for weights in (SAFE, PICKLED):
            patterns = [*FILES, *MODULES, weights]
            try:
                if listed:
                    get_cached_repo_tree(name)
                # the patterns of the download: without them a copy that lacks a README counts as incomplete
                folder = Path(snapshot_download(name, local_files_only=True, allow_patterns=patterns))
            except (CachedRepoTreeNotFoundError, LocalEntryNotFoundError):
                continue
            # of this kind: of the other one there may be a part, of a download that was interrupted
            if any(folder.glob(weights)):
                return folder
    return None


def hub_names(name: str) -> list[str]:
    """Return the names that a model has, or had, on the Hub, today's first."""
    owner, _, model = name.rpartition("/")
    known = next((owner for start, owner in OWNERS.items() if model.startswith(start)), None)
    if known is None or owner not in ("", known):
        return [name]
    return [f"{known}/{model}", model]


def has_weights(folder: Path) -> bool:
    """Whether a Hugging Face folder holds weights."""
    return any(any(folder.glob(pattern)) for pattern in (SAFE, PICKLED))

"""A model named as on the Hugging Face Hub, brought to a local folder."""

import re
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from densecli.errors import ArtifactError
from densecli.io.network import why_offline

NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
FILES = ["*.json", "*.txt", "*.model"]
SAFE, PICKLED = "model*.safetensors", "pytorch_model*.bin"
OPTIONS = "name `starter` (the model that comes with densecli) or the folder of a model on this disk instead"


def local_folder(source: str) -> Path:
    """Return the folder of a model: `source` itself, or what the Hub holds under that name.

    A copy in the Hub's cache is taken as it is, without asking the network.

    Raises:
        ArtifactError: no such folder and no such name, or the Hub is out of reach (said within
            about a second).
    """
    folder = Path(source).expanduser()
    if source and folder.is_dir():
        return folder
    if (source and folder.exists()) or not NAME.fullmatch(source) or source.startswith("."):
        raise ArtifactError(f"{source}: no such model folder; give a folder, a Hub name, or `starter`")
    try:
        cached = Path(snapshot_download(source, local_files_only=True))
        if has_weights(cached):
            return cached
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise ArtifactError(f"{source}: no such model folder, and no name on the Hub ({error})") from None
    why = why_offline(constants.ENDPOINT)
    if why is not None:
        raise ArtifactError(f"{source}: not on this disk, and {why}; {OPTIONS}")
    try:
        held = HfApi().list_repo_files(source)
        weights = SAFE if any(Path(name).match(SAFE) for name in held) else PICKLED
        return Path(snapshot_download(source, allow_patterns=[*FILES, "1_Pooling/*", weights]))
    except Exception as error:  # the Hub, the network and the disk fail in many classes
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ArtifactError(f"{source}: the Hub gives no such model ({line}); {OPTIONS}") from None


def has_weights(folder: Path) -> bool:
    """Whether a Hugging Face folder holds weights."""
    return any(any(folder.glob(pattern)) for pattern in (SAFE, PICKLED))

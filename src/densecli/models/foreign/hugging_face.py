"""Weights and configs in the layout of Hugging Face folders, read and written without transformers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from densecli.errors import ArtifactError, ResourceError
from densecli.files.pickled.torch_file import StoredTensor, read_torch_file
from densecli.models.folder import CONFIG
from densecli.models.weights import FloatArray

MODEL = "model.safetensors"
PICKLED = "pytorch_model.bin"
PARTS = {
    "adapter_config.json": "an adapter of PEFT",
    "pooler.pt": "a pooler of Tevatron",
    "pooler_config.json": "a pooler of Tevatron",
}
"""Files that change what a model does, in addition to its weights."""
FLOATS = ("<f2", "<f4", "<f8")


def read_json(path: Path) -> Any:
    """Read a file of a model's settings.

    Raises:
        ArtifactError: it is missing or broken.
    """
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error}); copy the model folder again") from None


def weight_files(folder: Path) -> list[Path]:
    """Return the files with a model's weights, as transformers would choose them.

    A file of another name, such as that of a second precision, is left out.

    Raises:
        ArtifactError: there are none, or the list of them is broken; or there are other weights that
            another program would add.
    """
    for name, what in PARTS.items():
        if (folder / name).exists():
            raise ArtifactError(
                f"{folder / name}: {what}, which densecli cannot apply; merge it into {MODEL}"
            )
    # in this order, as transformers does
    for whole in (MODEL, PICKLED):
        if (folder / whole).is_file():
            return [folder / whole]
        listing = folder / f"{whole}.index.json"
        if listing.is_file():
            return [folder / name for name in _read_listing(listing)]
    raise ArtifactError(f"{folder}: no {MODEL} in it; a model without weights cannot be used")


def _read_listing(listing: Path) -> list[str]:
    row = read_json(listing)
    names = row.get("weight_map") if isinstance(row, dict) else None
    files = sorted(set(map(str, names.values()))) if isinstance(names, dict) else []
    # a name with a folder in it could lead out of the model
    if not files or any(Path(file).name != file for file in files):
        raise ArtifactError(f"{listing}: lists no files of this folder; copy the model folder again")
    return files


def read_weights(folder: Path) -> dict[str, FloatArray]:
    """Return every weight of fractional numbers by name, float32; safetensors files come before pickles.

    Raises:
        ArtifactError: there are no weights, or they are damaged, or ask for more than data.
    """
    weights: dict[str, FloatArray] = {}
    for path in weight_files(folder):
        held = _safe(path) if path.suffix == ".safetensors" else read_pickled_weights(path)
        for name, array in held.items():
            # integers are tables such as position_ids, which are no weights
            if array.dtype.str in FLOATS:
                weights[name] = array.astype(np.float32, copy=False)
    if not weights:
        raise ArtifactError(f"{folder}: no weights of floating point in it; copy the model folder again")
    return weights


def write_model(folder: Path, config: Mapping[str, Any], weights: Mapping[str, FloatArray]) -> None:
    """Write `config.json` and `model.safetensors`.

    Raises:
        ResourceError: the weights cannot be written, mostly for lack of room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    whole = {name: np.ascontiguousarray(weight, dtype=np.float32) for name, weight in weights.items()}
    try:
        save_file(whole, folder / MODEL, {"format": "pt"})
    except SafetensorError as error:
        raise ResourceError(
            f"{folder / MODEL}: no space left or not writable ({error}); make room, or choose another place"
        ) from None


def _safe(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="numpy") as stream:
            return {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, TypeError, OSError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error}); copy it again, as float32") from None


def read_pickled_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a state dict in a file of torch, read as data; bfloat16 becomes float32.

    Raises:
        ArtifactError: the file is damaged, or holds more than weights.
    """
    held = read_torch_file(path)
    if not isinstance(held, dict) or not all(isinstance(one, StoredTensor) for one in held.values()):
        raise ArtifactError(f"{path}: holds more than weights; expected a state dict")
    return {name: tensor.read() for name, tensor in held.items()}

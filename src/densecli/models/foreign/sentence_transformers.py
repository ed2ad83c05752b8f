"""What a sentence-transformers folder says about pooling and normalisation."""

from dataclasses import dataclass, replace
from pathlib import Path

from densecli.errors import ArtifactError
from densecli.models.folder import RetrieverConfig
from densecli.models.foreign.hugging_face import read_json

OWNER = "sentence_transformers"
MODES = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}


@dataclass(frozen=True, slots=True)
class Pooled:
    """How a base model was made to be pooled."""

    pooling: str = "cls"
    normalize: bool = False


def read_pooling(folder: Path) -> Pooled:
    """Return pooling and normalisation of a Hugging Face folder; without `modules.json`, `[CLS]`.

    Raises:
        ArtifactError: the folder has a module or a pooling that densecli does not apply.
    """
    listing = folder / "modules.json"
    if not listing.is_file():
        return Pooled()
    pooling, normalize = "cls", False
    for kind, path in _modules(listing):
        if kind == "Pooling":
            pooling = _mode(folder / path / "config.json")
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise ArtifactError(f"{listing}: module {kind} is not supported; use a model that only pools")
    return Pooled(pooling, normalize)


def _modules(listing: Path) -> list[tuple[str, str]]:
    """Return the class and the folder of each module.

    Raises:
        ArtifactError: the file is no list of modules, or a module is a class of somebody else, whatever its
            name: what that one does is not known.
    """
    rows = read_json(listing)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ArtifactError(f"{listing}: is no list of modules; copy the model folder again")
    found = []
    for row in rows:
        package, _, kind = str(row.get("type", "")).rpartition(".")
        if package.partition(".")[0] != OWNER:
            raise ArtifactError(
                f"{listing}: module {str(row.get('type'))[:80]!r} is not one of {OWNER}; use a model without"
                " classes of its own"
            )
        found.append((kind, str(row.get("path", "1_Pooling"))))
    kinds = [kind for kind, _ in found]
    if kinds[:1] != ["Transformer"] or kinds.count("Transformer") + kinds.count("Pooling") > 2:
        raise ArtifactError(
            f"{listing}: holds {', '.join(kinds) or 'no module'}; expected one Transformer first,"
            " and at most one Pooling"
        )
    return found


def read_card_of(folder: Path, limit: int) -> RetrieverConfig:
    """Return the properties of a Hugging Face folder's encoder, used as both towers.

    Args:
        folder: the model's.
        limit: the longest sequence that the encoder has positions for.

    Raises:
        ArtifactError: as `read_pooling`.
    """
    pooled, defaults = read_pooling(folder), RetrieverConfig()
    return replace(
        defaults,
        pooling=pooled.pooling,
        normalize=pooled.normalize,
        max_question_tokens=min(defaults.max_question_tokens, limit),
        max_passage_tokens=min(defaults.max_passage_tokens, limit),
    )


def _mode(path: Path) -> str:
    config = read_json(path)
    if not isinstance(config, dict):
        raise ArtifactError(f"{path}: is no JSON object; copy the model folder again")
    modes: set[str] = {
        MODES.get(str(name), str(name))
        for name, on in config.items()
        if name.startswith("pooling_mode_") and on is True
    }
    if isinstance(config.get("pooling_mode"), str):
        modes.add(config["pooling_mode"])
    if len(modes) != 1 or not modes <= set(MODES.values()):
        raise ArtifactError(
            f"{path}: pools by {', '.join(sorted(modes)) or 'nothing'}; cls or mean is supported"
        )
    return str(modes.pop())

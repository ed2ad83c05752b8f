"""One tower in torch: a Hugging Face encoder and its pooling."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, BertConfig, BertModel
from transformers import logging as hf_logging

from densecli.encoders.folder import CONFIG, WEIGHTS, present
from densecli.encoders.hub import has_weights
from densecli.encoders.weights import FloatArray, check_shapes, load_state, read_header
from densecli.errors import ArtifactError

hf_logging.set_verbosity_error()
hf_logging.disable_progress_bar()


class Tower(nn.Module):
    """Ids and mask to vectors: the last hidden states, pooled (paper, section 3.1)."""

    def __init__(
        self, model: Any, pooling: str, normalize: bool = False, last_position: int | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.pooling = pooling
        self.normalize = normalize
        self.last_position = last_position

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return float32 vectors (B, H) for ids and mask, both (B, L); token types are zeros."""
        places = {} if self.last_position is None else {"position_ids": self._positions(ids, mask)}
        hidden = self.model(input_ids=ids, attention_mask=mask, **places).last_hidden_state.float()
        if self.pooling == "cls":
            vectors = hidden[:, 0]
        else:
            weights = mask.unsqueeze(-1).float()
            vectors = (hidden * weights).sum(1) / weights.sum(1)
        return nn.functional.normalize(vectors, dim=-1) if self.normalize else vectors

    def _positions(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return positions (B, L): each token's place, but `last_position` for the last of a sequence."""
        places = torch.arange(ids.shape[1], device=ids.device).repeat(len(ids), 1)
        places[torch.arange(len(ids)), mask.sum(1) - 1] = self.last_position or 0
        return places

    @property
    def dimension(self) -> int:
        """The vectors' length d."""
        return int(self.model.config.hidden_size)


def load_pretrained(folder: Path) -> Any:
    """Load a plain Hugging Face folder as a bare encoder.

    Raises:
        ArtifactError: config or weights are missing or broken; a weight is missing (it would be
            initialised at random), has another shape, or is not finite.
    """
    present(folder / CONFIG, "model's config")
    if not has_weights(folder):
        raise ArtifactError(f"{folder}: no model.safetensors in it; a model without weights is of no use")
    try:
        model, found = AutoModel.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True,
            local_files_only=True, trust_remote_code=False,
        )  # fmt: skip
    except Exception as error:  # transformers, safetensors and torch fail in many classes
        raise ArtifactError(f"{folder}: cannot be loaded ({_first_line(error)}); copy it again") from error
    for name, stored, wanted in sorted(found["mismatched_keys"]):
        raise ArtifactError(
            f"{folder}: weight {name} has shape {tuple(stored)}; the config asks for {tuple(wanted)}"
        )
    for name in sorted(found["missing_keys"]):
        if not name.startswith("pooler."):
            shape = tuple(model.state_dict()[name].shape)
            raise ArtifactError(f"{folder}: weight {name} of shape {shape} is missing; it isn't made up")
    for name, weight in model.state_dict().items():
        if not torch.isfinite(weight).all():
            raise ArtifactError(f"{folder}: weight {name} holds values that are not finite")
    return without_pooler(model)


def load_tower(
    tower: Path, words: Path, heads: Mapping[str, tuple[int, ...]] | None = None
) -> tuple[Any, dict[str, FloatArray]]:
    """Load one tower of a densecli folder; return the encoder and the weights of its `heads`.

    Raises:
        ArtifactError: a file is missing, or a weight is missing, too many, of another shape or not finite.
    """
    present(tower / CONFIG, "tower's config")
    weights = present(tower / WEIGHTS, "tower's weights")
    try:
        config = AutoConfig.from_pretrained(tower, local_files_only=True, trust_remote_code=False)
        model = without_pooler(AutoModel.from_config(config, trust_remote_code=False))
    except Exception as error:
        raise ArtifactError(f"{tower / CONFIG}: no encoder can be built ({_first_line(error)})") from error
    expected = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    table = word_table_name(model)
    others = {name: shape for name, shape in expected.items() if name != table} | dict(heads or {})
    check_shapes(weights, read_header(weights), others)
    state = load_state(weights) | load_state(present(words, "word embeddings"), {table: expected[table]})
    extra = {name: state.pop(name) for name in heads or {}}
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in state.items()})
    return model, extra


def bert_model(config: Mapping[str, Any], state: Mapping[str, FloatArray]) -> Any:
    """Build a bare BERT of weights that have been checked against its config."""
    model = BertModel(BertConfig.from_dict(dict(config)), add_pooling_layer=False)
    model.load_state_dict({name: torch.tensor(weight) for name, weight in state.items()})
    return model


def without_pooler(model: Any) -> Any:
    """Drop the pooler, which is neither used nor trained here."""
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


def word_table_name(model: Any) -> str:
    """Return the state-dict name of the word-embedding table."""
    table = model.get_input_embeddings().weight
    return next(
        str(name) for name, weight in model.named_parameters(remove_duplicate=False) if weight is table
    )


def position_limit(model: Any) -> int:
    """Return the longest sequence the encoder has positions for."""
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    reserved = 0 if padding is None else int(padding) + 1
    return int(getattr(model.config, "max_position_embeddings", 512)) - reserved


def set_dropout(model: nn.Module, share: float) -> None:
    """Set every dropout of the encoder; 0 switches it off."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

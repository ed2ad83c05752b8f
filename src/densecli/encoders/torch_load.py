"""Loads encoders of Hugging Face's classes, and checks that they are complete and finite, and read text."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, BertConfig, BertModel
from transformers import logging as hf_logging
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from densecli.encoders.torch_tower import word_table_name
from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.folder import CONFIG, WEIGHTS, present
from densecli.models.foreign.hugging_face import read_pickled_weights, weight_files
from densecli.models.weights import FloatArray, Shape, check_shapes, load_state, read_header

# its warnings about weights are errors here, and are raised with their names
hf_logging.set_verbosity_error()
hf_logging.disable_progress_bar()


def load_pretrained(folder: Path) -> Any:
    """Load a plain Hugging Face folder as a bare encoder.

    Raises:
        ArtifactError: config or weights are missing or broken; a weight is missing (it would be
            initialized at random), has another shape, or is not finite.
    """
    present(folder / CONFIG, "model's config")
    read_config(folder)
    _refuse_no_encoder(folder)
    files = weight_files(folder)
    try:
        model, found = _load_with_report(folder, files)
    except ArtifactError:
        raise
    except Exception as error:  # transformers, safetensors and torch fail in many classes
        raise ArtifactError(f"{folder}: cannot be loaded ({_first_line(error)}); copy it again") from error
    for name, stored, wanted in sorted(found["mismatched_keys"]):
        raise ArtifactError(
            f"{folder}: weight {name} has shape {tuple(stored)}; the config asks for {tuple(wanted)}"
        )
    for name in sorted(found["missing_keys"]):
        if not name.startswith("pooler."):
            shape = tuple(model.state_dict()[name].shape)
            raise ArtifactError(
                f"{folder}: weight {name} of shape {shape} is missing"
                " (densecli never initializes weights at random)"
            )
    for name, weight in model.state_dict().items():
        if not torch.isfinite(weight).all():
            raise ArtifactError(f"{folder}: weight {name} holds values that are not finite")
    return without_pooler(model)


def _load_with_report(folder: Path, files: Sequence[Path]) -> tuple[Any, dict[str, Any]]:
    """Return a model of transformers, and its report of missing and mismatched weights."""
    asked: dict[str, Any] = {
        "dtype": torch.float32,
        "output_loading_info": True,
        # all mismatches are then reported in `mismatched_keys` instead of one long message
        "ignore_mismatched_sizes": True,
        "local_files_only": True,
        "trust_remote_code": False,
    }
    if files[0].suffix == ".safetensors":
        return cast("tuple[Any, dict[str, Any]]", AutoModel.from_pretrained(folder, **asked))
    # transformers would unpickle these files: they are read as data here, and given to it
    held = {name: weight for file in files for name, weight in read_pickled_weights(file).items()}
    state = {name: torch.from_numpy(np.array(weight)) for name, weight in held.items()}
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    kind: Any = MODEL_MAPPING[type(config)]
    found: tuple[Any, dict[str, Any]] = kind.from_pretrained(None, config=config, state_dict=state, **asked)
    return found


def load_tower(
    tower: Path, words: Path, heads: Callable[[int], Mapping[str, Shape]] | None = None
) -> tuple[Any, dict[str, FloatArray]]:
    """Load one tower of a densecli folder; return the encoder and the weights of its heads.

    Args:
        tower: the tower's folder.
        words: its word table.
        heads: the shapes of weights in addition to the encoder's own, of the length of its hidden states.

    Raises:
        ArtifactError: a file is missing, or a weight is missing, too many, of another shape or not finite.
    """
    present(tower / CONFIG, "tower's config")
    weights = present(tower / WEIGHTS, "tower's weights")
    _refuse_no_encoder(tower)
    try:
        config = AutoConfig.from_pretrained(tower, local_files_only=True, trust_remote_code=False)
        model = without_pooler(AutoModel.from_config(config, trust_remote_code=False))
    except Exception as error:
        raise ArtifactError(f"{tower / CONFIG}: no encoder can be built ({_first_line(error)})") from error
    expected = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    table = word_table_name(model)
    own = {} if heads is None else dict(heads(model.config.hidden_size))
    others = {name: shape for name, shape in expected.items() if name != table} | own
    check_shapes(weights, read_header(weights), others)
    state = load_state(weights) | load_state(present(words, "word embeddings"), {table: expected[table]})
    extra = {name: state.pop(name) for name in own}
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in state.items()})
    return model, extra


def _refuse_no_encoder(folder: Path) -> None:
    """Refuse a model whose states do not see the whole text, or that reads no text.

    Raises:
        ArtifactError: names the type of model.
    """
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        known = MODEL_MAPPING[type(config)]
    except Exception as error:  # broken configs, and types that this transformers does not know
        raise ArtifactError(f"{folder / CONFIG}: no encoder can be built ({_first_line(error)})") from error
    kind = config.model_type
    # a decoder: each state sees only the words before it; BERT and others are in both tables
    writes = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    reads = getattr(known, "main_input_name", "") == "input_ids"
    if not reads or writes or config.is_encoder_decoder or getattr(config, "is_decoder", False):
        raise ArtifactError(
            f"{folder}: a model of type {kind!r} is not a text encoder; use one such as BERT, RoBERTa or"
            " ModernBERT"
        )


def bert_model(config: Mapping[str, Any], state: Mapping[str, FloatArray]) -> Any:
    """Build a bare BERT of weights that have been checked against its config."""
    model = BertModel(BertConfig.from_dict(dict(config)), add_pooling_layer=False)
    model.load_state_dict({name: torch.tensor(weight) for name, weight in state.items()})
    return model


def without_pooler(model: Any) -> Any:
    """Drop the pooler, which is neither used nor trained here."""
    # DPR takes the [CLS] state itself, so a checkpoint without pooler weights is whole
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

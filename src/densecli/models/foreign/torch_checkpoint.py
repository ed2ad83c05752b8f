"""Writes DPR's own checkpoints (`.cp`), in the form of its first release."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from densecli.errors import ResourceError
from densecli.models.foreign.bert_reader import CHECKPOINT_PREFIX, BertReader
from densecli.models.foreign.bert_tower import BertRetriever, BertTower
from densecli.models.foreign.dpr_checkpoint import ENCODER_TYPE, PREFIXES
from densecli.models.foreign.dpr_folder import refuse_other_vectors
from densecli.models.weights import FloatArray

BASE = "google-bert/bert-base-uncased"


def write_retriever_checkpoint(retriever: BertRetriever, path: Path, base: str = BASE) -> None:
    """Write both encoders; `torch.load(weights_only=True)` and every DPR read the file.

    Args:
        retriever: two BERT towers. A trailing `[SEP]` is noted among the parameters, where DPR does not look.
        path: the file.
        base: Hub name or folder of the BERT whose tokenizer and config DPR is to take: the file has neither.

    Raises:
        ArtifactError: the retriever does something that DPR cannot.
    """
    model_config = retriever.model_config
    refuse_other_vectors(model_config)
    towers = {"question": retriever.question, "passage": retriever.passage}
    weights: dict[str, FloatArray] = {}
    for name, tower in towers.items():
        weights |= with_pooler(tower, PREFIXES[name])
        weights |= {PREFIXES[name] + head: weight for head, weight in tower.heads.items()}
    length = max(model_config.max_question_tokens, model_config.max_passage_tokens)
    params = {
        "pretrained_model_cfg": base,
        "sequence_length": length,
        "projection_dim": model_config.projection,
        "trailing_sep": model_config.trailing_sep,
    }
    write_checkpoint(path, weights, retriever.tokenizer, params)


def write_reader_checkpoint(reader: BertReader, path: Path, base: str = BASE) -> None:
    """Write encoder and heads; `torch.load(weights_only=True)` and every DPR read the file.

    Args:
        reader: a BERT with heads. Its token types are noted among the parameters, where DPR does not look:
            the first release takes zeros, 1.0 segments.
        path: the file.
        base: Hub name or folder of the BERT whose tokenizer and config DPR is to take: the file has neither.
    """
    weights = with_pooler(reader.tower, CHECKPOINT_PREFIX) | dict(reader.tower.heads)
    model_config = reader.model_config
    params = {
        "pretrained_model_cfg": base,
        "sequence_length": model_config.max_tokens,
        "token_types": model_config.token_types,
    }
    write_checkpoint(path, weights, reader.tokenizer, params)


def with_pooler(tower: BertTower, prefix: str) -> dict[str, FloatArray]:
    """Return a tower's weights as DPR names them, with the pooler that it loads and never uses (zeros)."""
    hidden = tower.config["hidden_size"]
    pooler = {
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    return {prefix + name: weight for name, weight in {**tower.state, **pooler}.items()}


def write_checkpoint(
    path: Path, weights: Mapping[str, FloatArray], tokenizer: Tokenizer, more: Mapping[str, Any]
) -> None:
    """Write the six entries of a checkpoint, with nothing to resume a training from.

    Args:
        path: the file.
        weights: the weights by DPR's names.
        tokenizer: the tokenizer of the model.
        more: encoder parameters in addition to those that are always the same.

    Raises:
        ResourceError: the file cannot be written, mostly for lack of room.
    """
    params = {
        # asked of the tokenizer, since a tokenizer.json can lower-case in several ways
        "do_lower_case": tokenizer.encode("A").ids == tokenizer.encode("a").ids,
        "encoder_model_type": ENCODER_TYPE,
        "pretrained_file": None,
        "projection_dim": 0,
        **more,
    }
    held = {
        "model_dict": {name: torch.tensor(weight) for name, weight in weights.items()},
        "optimizer_dict": {},
        "scheduler_dict": {},
        "offset": 0,
        "epoch": 0,
        "encoder_params": params,
    }
    try:
        torch.save(held, path)
    except RuntimeError as error:
        raise ResourceError(
            f"{path}: no space left or not writable ({error}); make room, or choose another place"
        ) from None

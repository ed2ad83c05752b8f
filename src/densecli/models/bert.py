"""Configs of encoders as Hugging Face writes them, and what a BERT's says where it leaves something out."""

from pathlib import Path
from typing import Any

import orjson

from densecli.errors import ArtifactError
from densecli.models.architecture import Config
from densecli.models.folder import CONFIG, present

WORD_TABLE = "embeddings.word_embeddings.weight"
DEFAULTS: dict[str, Any] = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
"""What a BERT's config says where a file leaves it out: google-bert/bert-base-uncased."""


def read_config(tower: Path) -> dict[str, Any]:
    """Read a tower's `config.json`.

    Raises:
        ArtifactError: the file is missing or broken, or asks for positions that no engine applies.
    """
    path = present(tower / CONFIG, "tower's config")
    try:
        config = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ArtifactError(f"{path}: broken JSON ({error}); copy the model folder again") from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ArtifactError(f"{path}: no 'model_type'; expected a Hugging Face config")
    if config.get("position_embedding_type", "absolute") not in ("absolute", None):
        raise ArtifactError(  # transformers 5 ignores it, and takes absolute positions
            f"{path}: position_embedding_type is {config['position_embedding_type']!r:.80};"
            " densecli supports absolute"
        )
    return {"hidden_size": config["dim"]} | config if "dim" in config else config  # DistilBERT's name for it


def bert_config(config: Config) -> dict[str, Any]:
    """Return the config of the bare BERT in a model of another kind (DPR's are), whole."""
    held = {name: config.get(name) for name in DEFAULTS}
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        **{name: DEFAULTS[name] if value is None else value for name, value in held.items()},
    }

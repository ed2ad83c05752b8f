"""What a BERT config says about its weights: names and shapes, as Hugging Face writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from densecli.encoders.folder import CONFIG, present
from densecli.encoders.weights import Shape
from densecli.errors import ArtifactError

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
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")
Config = Mapping[str, Any]


def read_config(tower: Path) -> dict[str, Any]:
    """Read a tower's `config.json`.

    Raises:
        ArtifactError: the file is missing or broken.
    """
    path = present(tower / CONFIG, "tower's config")
    try:
        config = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ArtifactError(f"{path}: broken JSON ({error}); copy the model folder again") from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ArtifactError(f"{path}: no 'model_type'; expected a Hugging Face config")
    return {"hidden_size": config["dim"]} | config if "dim" in config else config  # DistilBERT's name for it


def is_plain_bert(config: Config) -> bool:
    """Whether the compiled graph can say all that this config says."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act", "gelu") in ACTIVATIONS
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and not config.get("add_cross_attention", False)
    )


def bert_config(config: Config) -> dict[str, Any]:
    """Return the config of the bare BERT in a model of another kind (DPR's are), with nothing left out."""
    held = {name: config.get(name) for name in DEFAULTS}
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        **{name: DEFAULTS[name] if value is None else value for name, value in held.items()},
    }


def weight_shapes(config: Config) -> dict[str, Shape]:
    """Return the weights of a BERT encoder, all but its word table and its unused pooler."""
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, Shape] = {
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
    }

    def linear(name: str, rows: int, columns: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (rows, columns), (rows,)

    def norm(name: str) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (hidden,)

    norm("embeddings.LayerNorm")
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", hidden, hidden)
        linear(f"{layer}.attention.output.dense", hidden, hidden)
        norm(f"{layer}.attention.output.LayerNorm")
        linear(f"{layer}.intermediate.dense", wide, hidden)
        linear(f"{layer}.output.dense", hidden, wide)
        norm(f"{layer}.output.LayerNorm")
    return shapes

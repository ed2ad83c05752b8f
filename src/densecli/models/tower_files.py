"""Writes the files of a model: one tower, float32 or compact, and compiled; the tokenizer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer

from densecli.models.architecture import architecture
from densecli.models.folder import CONFIG, TOKENIZER, WEIGHTS
from densecli.models.onnx_encoder import write_graph
from densecli.models.weights import FloatArray, save_state


def write_tower(
    tower: Path, config: Mapping[str, Any], state: Mapping[str, FloatArray], compact: bool = False
) -> None:
    """Write config.json, weights.safetensors and, where compiled engines can run the encoder, graph.onnx.

    Args:
        tower: the tower's folder, made here.
        config: Hugging Face config.
        state: every weight but the word table; a reader's heads among them.
        compact: matrices as 8-bit rows with a scale each.
    """
    tower.mkdir(parents=True, exist_ok=True)
    (tower / CONFIG).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    save_state(tower / WEIGHTS, state, compact)
    encoder = architecture(config)
    if encoder is not None:
        write_graph(tower, encoder)


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer.json` without padding and truncation, which each use sets."""
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    (folder / TOKENIZER).write_text(plain.to_str(), encoding="utf-8")

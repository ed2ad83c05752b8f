"""Writes the files of a model: one tower, float32 or compact, and compiled; the tokenizer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer

from densecli.encoders.bert import is_plain_bert
from densecli.encoders.compiled.onnx_graph import write_graph
from densecli.encoders.folder import CONFIG, TOKENIZER, WEIGHTS
from densecli.encoders.weights import FloatArray, save_state


def write_tower(
    tower: Path, config: Mapping[str, Any], state: Mapping[str, FloatArray], compact: bool = False
) -> None:
    """Write config.json, weights.safetensors and, for a BERT, graph.onnx.

    Args:
        tower: the tower's folder, made here.
        config: Hugging Face config.
        state: every weight but the word table; a reader's heads among them.
        compact: matrices as 8-bit rows with a scale each.
    """
    tower.mkdir(parents=True, exist_ok=True)
    (tower / CONFIG).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    save_state(tower / WEIGHTS, state, compact)
    if is_plain_bert(config):
        write_graph(tower)


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer.json` without padding and truncation, which each use sets."""
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    (folder / TOKENIZER).write_text(plain.to_str(), encoding="utf-8")

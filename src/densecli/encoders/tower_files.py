"""Writes the files of one tower, in float32 or compactly, and compiles what can be compiled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from densecli.encoders.bert import is_plain_bert
from densecli.encoders.folder import CONFIG, WEIGHTS
from densecli.encoders.onnx_graph import write_graph
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

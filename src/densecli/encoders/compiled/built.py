"""Towers whose weights are in memory, for the compiled engines."""

from collections.abc import Mapping
from pathlib import Path

from densecli.encoders.bert import WORD_TABLE, Config
from densecli.encoders.compiled.onnx_graph import graph_with_weights
from densecli.encoders.compiled.tower import TowerParts
from densecli.encoders.weights import FloatArray, HeldWords


def built_tower(place: Path, config: Config, state: Mapping[str, FloatArray]) -> TowerParts:
    """Return the parts of a tower whose weights are in memory, in float32 and checked."""
    others = {name: weight for name, weight in state.items() if name != WORD_TABLE}
    words = HeldWords(state[WORD_TABLE])
    return TowerParts(place, config, graph_with_weights(config, others), None, words, others.__getitem__)

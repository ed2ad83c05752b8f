"""Towers whose weights are in memory, for the compiled engines."""

from collections.abc import Mapping
from pathlib import Path

from densecli.encoders.tower import TowerParts
from densecli.models.architecture import Architecture
from densecli.models.onnx_encoder import graph_with_weights
from densecli.models.weights import FloatArray, HeldEmbeddings


def built_tower(place: Path, encoder: Architecture, state: Mapping[str, FloatArray]) -> TowerParts:
    """Return the parts of a tower whose weights are in memory, in float32 and checked."""
    others = {name: weight for name, weight in state.items() if name != encoder.words}
    graph = graph_with_weights(encoder, others)
    return TowerParts(place, encoder, graph, None, HeldEmbeddings(state[encoder.words]), others.__getitem__)

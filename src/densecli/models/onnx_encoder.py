"""Encoders as ONNX graphs: from the rows of a word table to last hidden states."""

from collections.abc import Mapping
from math import log, sqrt
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from densecli.models.architecture import Architecture, ModernBert, PostNorm
from densecli.models.folder import GRAPH, WEIGHTS
from densecli.models.onnx_graph import MASKED, FiledGraph, FilledGraph, Graph
from densecli.models.weights import FloatArray, header_digest, read_header

# The first version with Gelu as one operator.
OPSET = 20
IR_VERSION = 10
# Of T5: all distances from there on share a bucket.
MAX_DISTANCE = 128


def write_graph(tower: Path, encoder: Architecture) -> None:
    """Write `graph.onnx` next to a tower's weights; its tensors point into the weights' file.

    Inputs `embeddings` float32 (B, L, H), the rows of the word table, and `attention_mask` int64 (B, L);
    output `hidden` float32 (B, L, H). Positions and token type 0 are added inside.
    """
    (tower / GRAPH).write_bytes(_stored_form(tower, encoder))
    onnx.checker.check_model(tower / GRAPH)


def is_sound_graph(tower: Path, encoder: Architecture) -> bool:
    """Whether the graph in a tower's folder is the one that `write_graph` would write."""
    return (tower / GRAPH).read_bytes() == _stored_form(tower, encoder)


def _stored_form(tower: Path, encoder: Architecture) -> bytes:
    path = tower / WEIGHTS
    model = _model(encoder, FiledGraph(read_header(path)))
    helper.set_model_props(model, {"weights": header_digest(path)})
    # the same bytes each time: `is_sound_graph` compares them
    made: bytes = model.SerializeToString(deterministic=True)
    return made


def graph_with_weights(encoder: Architecture, state: Mapping[str, FloatArray]) -> bytes:
    """Return the same graph with its weights in it.

    Args:
        encoder: what it computes.
        state: all its weights but the word table, by the names Hugging Face gives them.
    """
    made: bytes = _model(encoder, FilledGraph(state)).SerializeToString()
    return made


def _model(encoder: Architecture, graph: Graph) -> ModelProto:
    if isinstance(encoder, ModernBert):
        _modern_bert(graph, encoder)
    else:
        _post_norm(graph, encoder)
    hidden = encoder.hidden
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [
            helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", "length", hidden]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "length"]),
        ],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["batch", "length", hidden])],
        graph.tensors,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "densecli"
    return model


def _end(graph: Graph, x: str, shape: str, hidden: int) -> None:
    """Give states (B * L, H) their shape (B, L, H), as the graph's output."""
    end = graph.add("Concat", [shape, graph.constant([hidden], np.int64)], axis=0)
    graph.nodes.append(helper.make_node("Reshape", [x, end], ["hidden"], name="hidden"))


def _post_norm(graph: Graph, encoder: PostNorm) -> None:
    hidden, heads, epsilon, names = encoder.hidden, encoder.heads, encoder.epsilon, encoder.names
    shape = graph.add("Shape", ["embeddings"], start=0, end=2)
    split = graph.add("Concat", [shape, graph.constant([heads, hidden // heads], np.int64)], axis=0)
    # one matrix product over all tokens of the batch, instead of one per text
    flat = graph.constant([-1, hidden], np.int64)
    bias = graph.mask_bias()
    if encoder.buckets:
        bias = graph.add("Add", [bias, _distance_biases(graph, encoder)])

    def heads_of(x: str, part: str, order: list[int]) -> str:
        rows = graph.add("Reshape", [graph.linear(x, part), split])
        return graph.add("Transpose", [rows], perm=order)

    def attention(x: str, layer: str) -> str:
        query = heads_of(x, f"{layer}.{names.query}", [0, 2, 1, 3])
        key = heads_of(x, f"{layer}.{names.key}", [0, 2, 3, 1])
        scores = graph.add("MatMul", [query, key])
        scores = graph.add("Mul", [scores, graph.constant(1 / sqrt(hidden // heads), np.float32)])
        shares = graph.add("Softmax", [graph.add("Add", [scores, bias])], axis=-1)
        mixed = graph.add("MatMul", [shares, heads_of(x, f"{layer}.{names.value}", [0, 2, 1, 3])])
        return graph.add("Reshape", [graph.add("Transpose", [mixed], perm=[0, 2, 1, 3]), flat])

    x = graph.add("Add", ["embeddings", _table_rows(graph, encoder)])
    x = graph.add("Reshape", [graph.norm(x, encoder.first_norm, epsilon), flat])
    for number in range(encoder.layers):
        layer = names.layer.format(number)
        attended = graph.linear(attention(x, layer), f"{layer}.{names.mixed}")
        x = graph.norm(graph.add("Add", [attended, x]), f"{layer}.{names.attention_norm}", epsilon)
        wide = graph.activation(graph.linear(x, f"{layer}.{names.wide}"), encoder.activation)
        wide = graph.linear(wide, f"{layer}.{names.narrow}")
        x = graph.norm(graph.add("Add", [wide, x]), f"{layer}.{names.norm}", epsilon)
    _end(graph, x, shape, hidden)


def _table_rows(graph: Graph, encoder: PostNorm) -> str:
    """The first L rows of the position table that are for tokens, plus token type 0: (L, H)."""
    first, along = graph.constant([encoder.reserved], np.int64), graph.constant([0], np.int64)
    end = graph.length()
    if encoder.reserved:
        end = graph.add("Add", [end, first])
    rows = graph.add("Slice", [graph.weight(encoder.positions), first, end, along])
    if not encoder.types:
        return rows
    kinds = graph.weight(encoder.token_types)
    return graph.add("Add", [rows, graph.add("Gather", [kinds, along], axis=0)])


def _distance_biases(graph: Graph, encoder: PostNorm) -> str:
    """What MPNet's heads add for the distance of two tokens: (1, heads, L, L)."""
    farthest = encoder.position_rows
    buckets = distance_buckets(np.arange(-farthest, farthest + 1), encoder.buckets)
    table = graph.add("Gather", [graph.weight(encoder.biases), graph.constant(buckets, np.int64)], axis=0)
    places = graph.add("Add", [graph.distances(graph.length()), graph.constant(farthest, np.int64)])
    found = graph.add("Gather", [graph.add("Transpose", [table], perm=[1, 0]), places], axis=1)
    return graph.add("Unsqueeze", [found, graph.constant([0], np.int64)])


def distance_buckets(distances: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """Return the bucket of each distance, as MPNet (and T5) count them.

    Half of the buckets are for each direction; half of these for one distance each, and the others for
    distances that grow by a factor.
    """
    half = buckets // 2
    exact = half // 2
    far = np.abs(distances)
    steps = np.log(np.maximum(far, 1).astype(np.float32) / exact) / log(MAX_DISTANCE / exact)
    grown = exact + (steps * (half - exact)).astype(np.int64)
    found = np.where(far < exact, far, np.minimum(grown, half - 1))
    return np.where(distances > 0, half, 0) + found


def _modern_bert(graph: Graph, encoder: ModernBert) -> None:
    hidden, heads, epsilon = encoder.hidden, encoder.heads, encoder.epsilon
    size = hidden // heads
    shape = graph.add("Shape", ["embeddings"], start=0, end=2)
    split = graph.add("Concat", [shape, graph.constant([3 * heads, size], np.int64)], axis=0)
    flat = graph.constant([-1, hidden], np.int64)
    length = graph.length()
    everywhere = graph.mask_bias()
    biases = everywhere, graph.add("Add", [everywhere, _window_bias(graph, encoder.window, length)])
    turns = [_rotation_tables(graph, base, size, encoder.max_tokens, length) for base in encoder.bases]

    def attention(x: str, layer: str, near: bool) -> str:
        rows = graph.add("Reshape", [graph.linear(x, f"{layer}.Wqkv"), split])
        query, key, value = graph.split(graph.add("Transpose", [rows], perm=[0, 2, 1, 3]), 3, axis=1)
        query, key = _rotate(graph, query, turns[near]), _rotate(graph, key, turns[near])
        scores = graph.add("MatMul", [query, graph.add("Transpose", [key], perm=[0, 1, 3, 2])])
        scores = graph.add("Mul", [scores, graph.constant(1 / sqrt(size), np.float32)])
        shares = graph.add("Softmax", [graph.add("Add", [scores, biases[near]])], axis=-1)
        mixed = graph.add("Transpose", [graph.add("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        return graph.linear(graph.add("Reshape", [mixed, flat]), f"{layer}.Wo")

    x = graph.add("Reshape", [graph.norm("embeddings", encoder.first_norm, epsilon), flat])
    for number, near in enumerate(encoder.layers):
        layer = f"layers.{number}"
        # the first layer has no norm of its own: the embeddings' norm comes right before it
        known = graph.norm(x, f"{layer}.attn_norm", epsilon) if number else x
        x = graph.add("Add", [x, attention(known, f"{layer}.attn", near)])
        wide = graph.linear(graph.norm(x, f"{layer}.mlp_norm", epsilon), f"{layer}.mlp.Wi")
        # gated (GeGLU): half of the wide states multiply the other half
        used, gates = graph.split(wide, 2, axis=1)
        used = graph.add("Mul", [graph.activation(used, encoder.activation), gates])
        x = graph.add("Add", [x, graph.linear(used, f"{layer}.mlp.Wo")])
    _end(graph, graph.norm(x, encoder.last_norm, epsilon), shape, hidden)


def _window_bias(graph: Graph, window: int, length: str) -> str:
    """0 for tokens within the window and a very negative number for those outside: (L, L)."""
    away = graph.add("Abs", [graph.distances(length)])
    outside = graph.add("Greater", [away, graph.constant(window, np.int64)])
    there = graph.add("Cast", [outside], to=TensorProto.FLOAT)
    return graph.add("Mul", [there, graph.constant(MASKED, np.float32)])


def _rotation_tables(graph: Graph, base: float, size: int, longest: int, length: str) -> tuple[str, str]:
    """The cosines and sines of the first L positions, each (L, size).

    They are tables, since engines that compute in bfloat16 would compute the angles so, too.
    """
    frequencies = 1 / base ** (np.arange(0, size, 2, dtype=np.float32) / size)
    angles = np.outer(np.arange(longest, dtype=np.float32), frequencies)
    zero = graph.constant([0], np.int64)

    def rows(table: NDArray[np.float32]) -> str:
        cut = graph.add("Slice", [graph.constant(table, np.float32), zero, length, zero])
        return graph.add("Concat", [cut, cut], axis=1)

    return rows(np.cos(angles)), rows(np.sin(angles))


def _rotate(graph: Graph, x: str, turns: tuple[str, str]) -> str:
    """Turn pairs of components, i and i + size / 2, by the angles of their token's position."""
    cosines, sines = turns
    first, second = graph.split(x, 2, axis=3)
    across = graph.add("Concat", [graph.add("Neg", [second]), first], axis=3)
    return graph.add("Add", [graph.add("Mul", [x, cosines]), graph.add("Mul", [across, sines])])

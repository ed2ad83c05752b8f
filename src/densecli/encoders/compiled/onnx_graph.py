"""A BERT encoder as an ONNX graph: a small one whose weights stay in a file, or one that holds them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from densecli.encoders.bert import Config, read_config
from densecli.encoders.folder import GRAPH, WEIGHTS
from densecli.encoders.weights import KINDS, SCALE, FloatArray, Header, header_digest, read_header

OPSET = 20
IR_VERSION = 10
MASKED = -1e30


def write_graph(tower: Path) -> None:
    """Write `graph.onnx` beside a BERT tower's config and weights; its tensors point into the weights' file.

    Inputs `embeddings` float32 (B, L, H), the rows of the word table, and `attention_mask` int64 (B, L);
    output `hidden` float32 (B, L, H). Positions and token type 0 are added inside.
    """
    path = tower / WEIGHTS
    model = _model(read_config(tower), _FiledGraph(read_header(path)))
    helper.set_model_props(model, {"weights": header_digest(path)})
    (tower / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(tower / GRAPH)


def graph_with_weights(config: Config, state: Mapping[str, FloatArray]) -> bytes:
    """Return the same graph with its weights in it.

    Args:
        config: of a BERT.
        state: all its weights but the word table, by the names Hugging Face gives them.
    """
    made: bytes = _model(config, _FilledGraph(state)).SerializeToString()
    return made


def _model(config: Config, graph: "_Graph") -> ModelProto:
    graph.encoder(config)
    hidden = config["hidden_size"]
    made = helper.make_graph(
        graph.nodes,
        "bert",
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


class _Graph(ABC):
    """Collects nodes and tensors; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []

    @abstractmethod
    def weight(self, name: str) -> str:
        """Add a weight of the encoder."""

    def add(self, op: str, inputs: Sequence[str], **attributes: object) -> str:
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: object, dtype: type[np.generic]) -> str:
        name = f"constant_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.array(values, dtype=dtype), name))
        return name

    def linear(self, x: str, name: str) -> str:
        """`x W^T + b` for x (N, in); W stays as it is stored, (out, in)."""
        return self.add("Gemm", [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], transB=1)

    def norm(self, x: str, name: str, epsilon: float) -> str:
        inputs = [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=epsilon)

    def encoder(self, config: Config) -> None:
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        epsilon = config.get("layer_norm_eps", 1e-12)
        shape = self.add("Shape", ["embeddings"], start=0, end=2)
        split = self.add("Concat", [shape, self.constant([heads, hidden // heads], np.int64)], axis=0)
        flat = self.constant([-1, hidden], np.int64)
        mask = self._mask_bias()

        x = self.add("Add", ["embeddings", self._positions()])
        x = self.add("Reshape", [self.norm(x, "embeddings.LayerNorm", epsilon), flat])
        for number in range(config["num_hidden_layers"]):
            layer = f"encoder.layer.{number}"
            attended = self._attention(x, f"{layer}.attention.self", split, flat, mask, hidden // heads)
            attended = self.linear(attended, f"{layer}.attention.output.dense")
            x = self.norm(self.add("Add", [attended, x]), f"{layer}.attention.output.LayerNorm", epsilon)
            wide = self._activation(self.linear(x, f"{layer}.intermediate.dense"), config)
            wide = self.linear(wide, f"{layer}.output.dense")
            x = self.norm(self.add("Add", [wide, x]), f"{layer}.output.LayerNorm", epsilon)
        end = self.add("Concat", [shape, self.constant([hidden], np.int64)], axis=0)
        self.nodes.append(helper.make_node("Reshape", [x, end], ["hidden"], name="hidden"))

    def _positions(self) -> str:
        """Rows 0 to L - 1 of the position table, plus token type 0: (L, H)."""
        zero = self.constant([0], np.int64)
        length = self.add("Shape", ["embeddings"], start=1, end=2)
        table = self.weight("embeddings.position_embeddings.weight")
        kinds = self.weight("embeddings.token_type_embeddings.weight")
        rows = self.add("Slice", [table, zero, length, zero])
        return self.add("Add", [rows, self.add("Gather", [kinds, zero], axis=0)])

    def _mask_bias(self) -> str:
        """0 where there is a token and a very negative number where there is none: (B, 1, 1, L)."""
        there = self.add("Cast", ["attention_mask"], to=TensorProto.FLOAT)
        absent = self.add("Sub", [self.constant(1, np.float32), there])
        bias = self.add("Mul", [absent, self.constant(MASKED, np.float32)])
        return self.add("Unsqueeze", [bias, self.constant([1, 2], np.int64)])

    def _attention(self, x: str, name: str, split: str, flat: str, mask: str, width: int) -> str:
        def heads_of(part: str, order: list[int]) -> str:
            rows = self.add("Reshape", [self.linear(x, f"{name}.{part}"), split])
            return self.add("Transpose", [rows], perm=order)

        query, key = heads_of("query", [0, 2, 1, 3]), heads_of("key", [0, 2, 3, 1])
        scores = self.add("MatMul", [query, key])
        scores = self.add("Mul", [scores, self.constant(1 / math.sqrt(width), np.float32)])
        shares = self.add("Softmax", [self.add("Add", [scores, mask])], axis=-1)
        mixed = self.add("MatMul", [shares, heads_of("value", [0, 2, 1, 3])])
        return self.add("Reshape", [self.add("Transpose", [mixed], perm=[0, 2, 1, 3]), flat])

    def _activation(self, x: str, config: Config) -> str:
        name = config.get("hidden_act", "gelu")
        if name == "relu":
            return self.add("Relu", [x])
        return self.add("Gelu", [x], approximate="none" if name == "gelu" else "tanh")


class _FiledGraph(_Graph):
    """A graph whose weights stay in their file."""

    def __init__(self, header: Header) -> None:
        super().__init__()
        self._header = header

    def weight(self, name: str) -> str:
        """Refer to a stored weight; 8-bit rows are multiplied by their scales."""
        self._external(name, self._header[name].shape)
        if self._header[name].dtype != KINDS["I8"]:
            return name
        scale = name + SCALE
        self._external(scale, self._header[scale].shape[:1])
        return self.add("DequantizeLinear", [name, scale], axis=0)

    def _external(self, name: str, shape: Sequence[int]) -> None:
        stored = self._header[name]
        kind = TensorProto.INT8 if stored.dtype == KINDS["I8"] else TensorProto.FLOAT
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        place = {"location": WEIGHTS, "offset": stored.offset, "length": stored.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)


class _FilledGraph(_Graph):
    """A graph that holds its weights."""

    def __init__(self, state: Mapping[str, FloatArray]) -> None:
        super().__init__()
        self._state = state

    def weight(self, name: str) -> str:
        self.tensors.append(numpy_helper.from_array(self._state[name], name))
        return name

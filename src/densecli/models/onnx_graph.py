"""Builders of ONNX graphs: nodes, constants, and weights in their file or in the graph."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from densecli.models.folder import WEIGHTS
from densecli.models.weights import KINDS, SCALE, FloatArray, Header

# Not -inf: a row with nothing but padding would become not a number in the softmax.
MASKED = -1e30


class Graph(ABC):
    """Collects nodes and tensors; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []

    @abstractmethod
    def weight(self, name: str) -> str:
        """Add a weight of the encoder."""

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Whether the encoder has such a weight."""

    def add(self, op: str, inputs: Sequence[str], **attributes: object) -> str:
        """Add a node with one result."""
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def split(self, x: str, parts: int, axis: int) -> list[str]:
        """Cut `x` into equal parts."""
        names = [f"Split_{len(self.nodes)}_{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [x], names, name=names[0], axis=axis, num_outputs=parts))
        return names

    def constant(self, values: object, dtype: type[np.generic]) -> str:
        """Add a constant."""
        name = f"constant_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.array(values, dtype=dtype), name))
        return name

    def linear(self, x: str, name: str) -> str:
        """`x W^T + b` for x (N, in); W stays as it is stored, (out, in). The bias may be missing."""
        inputs = [x, self.weight(f"{name}.weight")]
        if self.holds(f"{name}.bias"):
            inputs.append(self.weight(f"{name}.bias"))
        return self.add("Gemm", inputs, transB=1)

    def norm(self, x: str, name: str, epsilon: float) -> str:
        """A layer norm of `x`; the bias may be missing."""
        inputs = [x, self.weight(f"{name}.weight")]
        if self.holds(f"{name}.bias"):
            inputs.append(self.weight(f"{name}.bias"))
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=epsilon)

    def activation(self, x: str, name: str) -> str:
        """An activation by Hugging Face's name, one of `architecture.ACTIVATIONS`."""
        if name == "relu":
            return self.add("Relu", [x])
        return self.add("Gelu", [x], approximate="none" if name == "gelu" else "tanh")

    def length(self) -> str:
        """The length L of the batch: (1,)."""
        return self.add("Shape", ["embeddings"], start=1, end=2)

    def distances(self, length: str) -> str:
        """The distance from token i to token j: (L, L)."""
        zero, one = self.constant(0, np.int64), self.constant(1, np.int64)
        end = self.add("Squeeze", [length])
        places = self.add("Range", [zero, end, one])
        across = self.add("Unsqueeze", [places, self.constant([0], np.int64)])
        down = self.add("Unsqueeze", [places, self.constant([1], np.int64)])
        return self.add("Sub", [across, down])

    def mask_bias(self) -> str:
        """0 where there is a token and a very negative number where there is none: (B, 1, 1, L)."""
        there = self.add("Cast", ["attention_mask"], to=TensorProto.FLOAT)
        absent = self.add("Sub", [self.constant(1, np.float32), there])
        bias = self.add("Mul", [absent, self.constant(MASKED, np.float32)])
        return self.add("Unsqueeze", [bias, self.constant([1, 2], np.int64)])


class FiledGraph(Graph):
    """A graph whose weights stay in their file."""

    def __init__(self, header: Header) -> None:
        super().__init__()
        self._header = header

    def holds(self, name: str) -> bool:
        """Whether the encoder has such a weight."""
        return name in self._header

    def weight(self, name: str) -> str:
        """Refer to a stored weight; 8-bit rows are multiplied by their scales."""
        self._external(name, self._header[name].shape)
        if self._header[name].dtype != KINDS["I8"]:
            return name
        scale = name + SCALE
        self._external(scale, self._header[scale].shape[:1])
        # axis 0, because each row has its own scale
        return self.add("DequantizeLinear", [name, scale], axis=0)

    def _external(self, name: str, shape: Sequence[int]) -> None:
        stored = self._header[name]
        kind = TensorProto.INT8 if stored.dtype == KINDS["I8"] else TensorProto.FLOAT
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        place = {"location": WEIGHTS, "offset": stored.offset, "length": stored.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)


class FilledGraph(Graph):
    """A graph that holds its weights."""

    def __init__(self, state: Mapping[str, FloatArray]) -> None:
        super().__init__()
        self._state = state

    def holds(self, name: str) -> bool:
        """Whether the encoder has such a weight."""
        return name in self._state

    def weight(self, name: str) -> str:
        """Put a weight into the graph."""
        self.tensors.append(numpy_helper.from_array(self._state[name], name))
        return name

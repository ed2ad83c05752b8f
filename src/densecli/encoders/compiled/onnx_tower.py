"""A tower on the compiled CPU runtime: no torch, ready in a fraction of a second."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from densecli.encoders.bert import read_config, weight_shapes
from densecli.encoders.folder import GRAPH, WEIGHTS, present
from densecli.encoders.length_batches import pad
from densecli.encoders.tokens import second_segment
from densecli.encoders.weights import (
    FloatArray,
    Shape,
    WordTable,
    check_shapes,
    header_digest,
    load_tensor,
    read_header,
)
from densecli.errors import ArtifactError


class OnnxTower:
    """Runs `graph.onnx` of one tower; word rows come from the table on the disk."""

    def __init__(
        self,
        tower: Path,
        words: Path,
        pad_id: int = 0,
        heads: Mapping[str, Shape] | None = None,
        last_position: int | None = None,
        separator: int | None = None,
    ) -> None:
        """Open a tower.

        Args:
            tower: folder with config.json, weights.safetensors and graph.onnx.
            words: the word-embedding table.
            pad_id: id that fills short rows.
            heads: shapes of weights beside the encoder's own that the file must hold.
            last_position: where the last token of each sequence stands; None: right behind the others.
            separator: the id behind whose first place tokens are of type 1; None: all are of type 0.

        Raises:
            ArtifactError: a file is missing or damaged, or weights, graph and config do not fit together.
        """
        graph, weights = present(tower / GRAPH, "compiled tower"), present(tower / WEIGHTS, "tower's weights")
        config = read_config(tower)
        check_shapes(weights, read_header(weights), weight_shapes(config) | dict(heads or {}))
        self.words = WordTable(present(words, "word embeddings"))
        if self.words.shape != (config["vocab_size"], config["hidden_size"]):
            wanted = (config["vocab_size"], config["hidden_size"])
            raise ArtifactError(
                f"{words}: the word table has shape {self.words.shape}; the config asks for {wanted}"
            )
        self.max_tokens = int(config["max_position_embeddings"])
        self._pad_id = pad_id
        self._last_position = last_position
        if last_position is not None:
            self._positions = load_tensor(weights, "embeddings.position_embeddings.weight")
        self._separator = separator
        if separator is not None:
            if config["type_vocab_size"] < 2:
                raise ArtifactError(f"{tower}: the model marks segments, but its encoder has one token type")
            types = load_tensor(weights, "embeddings.token_type_embeddings.weight")
            self._second_type = types[1] - types[0]
        try:
            self._session = onnxruntime.InferenceSession(
                graph, session_options(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base class
            raise ArtifactError(f"{graph}: the runtime refuses it ({error}); write the model again") from None
        if self._session.get_modelmeta().custom_metadata_map.get("weights") != header_digest(weights):
            raise ArtifactError(
                f"{graph}: was compiled for another {WEIGHTS}; copy both from one model folder"
            )

    def hidden(self, ids: Sequence[Sequence[int]]) -> tuple[FloatArray, NDArray[np.int64]]:
        """Return last hidden states (B, L, H) and the mask (B, L) of sequences of ids."""
        padded, mask = pad(ids, self._pad_id)
        rows = self.words.take(padded)
        if self._separator is not None:  # the graph adds type 0 to all
            rows[second_segment(padded, self._separator)] += self._second_type
        if self._last_position is not None:
            self._move_last(rows, mask)
        inputs = {"embeddings": rows, "attention_mask": mask}
        (states,) = self._session.run(["hidden"], inputs)
        return states, mask

    def _move_last(self, rows: FloatArray, mask: NDArray[np.int64]) -> None:
        """Give each last token its position; that of its place, which the graph adds, is taken off."""
        sequences, last = np.arange(len(mask)), mask.sum(axis=1) - 1
        rows[sequences, last] += self._positions[self._last_position] - self._positions[last]


def session_options() -> onnxruntime.SessionOptions:
    """Return the options that start fastest (benchmarks/cold_start.py measures them)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    # 8-bit weights become float32 once while loading, not in every run
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options

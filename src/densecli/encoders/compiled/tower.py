"""A tower on a compiled engine: no torch, ready in a fraction of a second."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from densecli.encoders.bert import Config, read_config, weight_shapes
from densecli.encoders.compiled.session import EngineError, Inputs, OpenSession
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

Ids = Sequence[Sequence[int]]
POSITIONS = "embeddings.position_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"


class Words(Protocol):
    """The rows of a word-embedding table."""

    @property
    def shape(self) -> Shape:
        """(V, H)."""
        ...

    def take(self, ids: NDArray[np.int64]) -> FloatArray:
        """Return the rows of `ids` (...,) as float32 (..., H)."""
        ...


@dataclass(frozen=True)
class TowerParts:
    """What an engine needs of one tower.

    Attributes:
        place: where it comes from, for messages.
        config: the encoder's.
        graph: a file, or the bytes of a graph that holds its weights.
        digest: of the weights beside a graph in a file.
        words: its word table.
        weight: returns one of its other weights by name.
    """

    place: Path
    config: Config
    graph: Path | bytes
    digest: str | None
    words: Words
    weight: Callable[[str], FloatArray]


def stored_tower(tower: Path, words: Path, heads: Mapping[str, Shape] | None = None) -> TowerParts:
    """Return the parts of a tower in a densecli folder.

    Args:
        tower: folder with config.json, weights.safetensors and graph.onnx.
        words: the word-embedding table.
        heads: shapes of weights beside the encoder's own that the file must hold.

    Raises:
        ArtifactError: a file is missing or damaged, or weights and config do not fit together.
    """
    graph, weights = present(tower / GRAPH, "compiled tower"), present(tower / WEIGHTS, "tower's weights")
    config = read_config(tower)
    check_shapes(weights, read_header(weights), weight_shapes(config) | dict(heads or {}))
    table = WordTable(present(words, "word embeddings"))
    wanted = (config["vocab_size"], config["hidden_size"])
    if table.shape != wanted:
        raise ArtifactError(f"{words}: the word table has shape {table.shape}; the config asks for {wanted}")
    return TowerParts(
        graph, config, graph, header_digest(weights), table, lambda name: load_tensor(weights, name)
    )


class CompiledTower:
    """Runs one tower in an engine; the rows of its words come from the table."""

    def __init__(
        self,
        parts: TowerParts,
        open_session: OpenSession,
        pad_id: int = 0,
        last_position: int | None = None,
        separator: int | None = None,
    ) -> None:
        """Open a tower.

        Args:
            parts: of the tower.
            open_session: loads the graph in an engine.
            pad_id: id that fills short rows.
            last_position: where the last token of each sequence stands; None: right behind the others.
            separator: the id behind whose first place tokens are of type 1; None: all are of type 0.

        Raises:
            EngineError: the engine refuses the graph.
            ArtifactError: weights, graph and config do not fit together.
        """
        config, place = parts.config, parts.place
        self.words = parts.words
        self.max_tokens = int(config["max_position_embeddings"])
        self._pad_id = pad_id
        self._last_position = last_position
        if last_position is not None:
            self._positions = parts.weight(POSITIONS)
        self._separator = separator
        if separator is not None:
            if config["type_vocab_size"] < 2:
                raise ArtifactError(f"{place}: the model marks segments, but its encoder has one token type")
            types = parts.weight(TYPES)
            self._second_type = types[1] - types[0]
        try:
            self._session = open_session(parts.graph)
        except Exception as error:  # the errors of the engines share no base class
            raise EngineError(f"{place}: the engine refuses it ({error}); write the model again") from None
        if parts.digest is not None and self._session.weights != parts.digest:
            raise ArtifactError(
                f"{place}: was compiled for another {WEIGHTS}; copy both from one model folder"
            )
        self.arithmetic = self._session.arithmetic

    def hidden(self, batches: Iterable[Ids]) -> Iterator[tuple[FloatArray, NDArray[np.int64]]]:
        """Yield last hidden states (B, L, H) and the mask (B, L) for each batch of sequences, in order."""
        masks: deque[NDArray[np.int64]] = deque()

        def inputs() -> Iterator[Inputs]:
            for ids in batches:
                padded, mask = pad(ids, self._pad_id)
                masks.append(mask)
                yield {"embeddings": self._rows(padded, mask), "attention_mask": mask}

        for states in self._session.run(inputs()):
            yield states, masks.popleft()

    def _rows(self, padded: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return the rows (B, L, H) of the word table, and what the graph does not add to them."""
        rows = self.words.take(padded)
        if self._separator is not None:  # the graph adds type 0 to all
            rows[second_segment(padded, self._separator)] += self._second_type
        if self._last_position is not None:
            self._move_last(rows, mask)
        return rows

    def _move_last(self, rows: FloatArray, mask: NDArray[np.int64]) -> None:
        """Give each last token its position; that of its place, which the graph adds, is taken off."""
        sequences, last = np.arange(len(mask)), mask.sum(axis=1) - 1
        rows[sequences, last] += self._positions[self._last_position] - self._positions[last]

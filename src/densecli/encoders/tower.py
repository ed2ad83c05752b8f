"""A tower on a compiled engine: no torch, ready in a fraction of a second."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from densecli.encoders.length_batches import pad
from densecli.encoders.session import SHOWN, EngineError, Inputs, OpenSession
from densecli.errors import ArtifactError
from densecli.models.architecture import Architecture, ModernBert, architecture
from densecli.models.bert import read_config
from densecli.models.folder import GRAPH, WEIGHTS, present
from densecli.models.tokens import second_segment
from densecli.models.weights import (
    FloatArray,
    Shape,
    WordTable,
    check_shapes,
    header_digest,
    load_tensor,
    read_header,
)

Ids = Sequence[Sequence[int]]
GRAPH_WRITER = "densecli.models.onnx_encoder"


class WordEmbeddings(Protocol):
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
        encoder: its sizes and the names of its weights.
        graph: a file, or the bytes of a graph that holds its weights.
        digest: the digest of the weights beside a graph in a file.
        words: its word table.
        weight: returns one of its other weights by name.
    """

    place: Path
    encoder: Architecture
    graph: Path | bytes
    digest: str | None
    words: WordEmbeddings
    weight: Callable[[str], FloatArray]


def stored_tower(tower: Path, words: Path, heads: Mapping[str, Shape] | None = None) -> TowerParts:
    """Return the parts of a tower in a densecli folder.

    Args:
        tower: folder with config.json, weights.safetensors and graph.onnx.
        words: the word-embedding table.
        heads: shapes of further weights that the file must hold.

    Raises:
        ArtifactError: a file is missing or damaged, or weights and config do not fit together.
    """
    graph, weights = present(tower / GRAPH, "compiled tower"), present(tower / WEIGHTS, "tower's weights")
    encoder = architecture(read_config(tower))
    if encoder is None:
        raise ArtifactError(f"{tower}: has a graph of an encoder that is not known; write the model again")
    check_shapes(weights, read_header(weights), encoder.shapes() | dict(heads or {}))
    table = WordTable(present(words, "word embeddings"))
    wanted = (encoder.vocabulary, encoder.hidden)
    if table.shape != wanted:
        raise ArtifactError(f"{words}: the word table has shape {table.shape}; the config asks for {wanted}")
    return TowerParts(
        graph, encoder, graph, header_digest(weights), table, lambda name: load_tensor(weights, name)
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
            parts: the parts of the tower.
            open_session: loads the graph in an engine.
            pad_id: id that fills short rows.
            last_position: where the last token of each sequence stands; None: right behind the others.
            separator: the id behind whose first place tokens are of type 1; None: all are of type 0.

        Raises:
            EngineError: the engine refuses the graph, or cannot run it.
            ArtifactError: weights, graph and config do not fit together.
        """
        encoder, place = parts.encoder, parts.place
        self.words = parts.words
        self.max_tokens = encoder.max_tokens
        self._pad_id = pad_id
        self._separator = separator
        if separator is not None:
            if isinstance(encoder, ModernBert) or encoder.types < 2:
                raise ArtifactError(f"{place}: the model marks segments, but its encoder has one token type")
            types = parts.weight(encoder.token_types)
            # the graph adds the row of type 0 to every token; this turns it into the row of type 1
            self._second_type = types[1] - types[0]
        self._last_position = last_position
        if last_position is not None:
            if isinstance(encoder, ModernBert):
                raise EngineError(
                    f"{place}: the encoder has no table of positions to take a trailing [SEP] from"
                )
            self._positions = parts.weight(encoder.positions)[encoder.reserved :]
        try:
            self._session = open_session(parts.graph)
            # an engine may load a graph and fail in its first run; found now, another one can replace it
            for _ in self.hidden([[[pad_id]]]):
                pass
        except MemoryError:
            raise
        except Exception as error:  # the errors of the engines share no base class
            cause = error.__cause__ if isinstance(error, EngineError) and error.__cause__ else error
            reason = " ".join(str(cause).split())[:SHOWN]
            sound: Any = import_module(GRAPH_WRITER).is_sound_graph  # onnx takes long to load
            if isinstance(parts.graph, Path) and not sound(parts.graph.parent, encoder):
                raise ArtifactError(
                    f"{place}: damaged, or of another version ({reason}); copy the model folder again, or"
                    " write it again with `densecli convert --to retriever` or `densecli convert --to reader`"
                ) from None
            raise EngineError(f"{place}: the engine refuses it ({reason}); write the model again") from None
        # the graph holds byte offsets into the weights: in another file it would read wrong numbers without
        # an error
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
        """Give each last token its own position, and subtract the one that the graph adds for its place."""
        sequences, last = np.arange(len(mask)), mask.sum(axis=1) - 1
        rows[sequences, last] += self._positions[self._last_position] - self._positions[last]

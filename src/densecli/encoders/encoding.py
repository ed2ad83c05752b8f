"""Questions or passages to vectors, on whichever engine."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from densecli.encoders.length_batches import length_batches
from densecli.errors import ArtifactError
from densecli.models.folder import fingerprint, passage_fingerprint
from densecli.models.tokens import CUT
from densecli.models.weights import FloatArray

T = TypeVar("T")
Ids = Sequence[Sequence[int]]
Forward = Callable[[Iterable[Ids]], Iterator[FloatArray]]
"""Batches of sequences of ids to vectors (B, d), in order. It may be given batches before it returns one."""


class Part(NamedTuple):
    """The vectors (n, d) of the texts at `rows` (n,) of a window, which have `tokens` word pieces together.

    `cut` of them are longer than the encoder's limit; the first part of a window has them all.
    """

    window: int
    rows: NDArray[np.int64]
    vectors: FloatArray
    tokens: int
    cut: int = 0


class Encoder(Generic[T]):
    """One tower of a retriever in one engine.

    Attributes:
        fingerprint: the fingerprint of the whole model.
        dimension: the length of the vectors.
        arithmetic: engine and precision: `openvino bf16`. Vectors of two of them differ a little.
    """

    def __init__(
        self,
        folder: Path,
        word_pieces: Callable[[Sequence[T]], list[list[int]]],
        forward: Forward,
        dimension: int,
        arithmetic: str,
        batch_tokens: int,
        counts: Mapping[str, int],
    ) -> None:
        """Take what one tower does; `counts` are those of the `Tokens` that `word_pieces` belongs to."""
        self._counts = counts
        self._folder = folder
        self._word_pieces = word_pieces
        self._forward = forward
        self._batch_tokens = batch_tokens
        self.dimension = dimension
        self.arithmetic = arithmetic
        self.fingerprint = fingerprint(folder)

    @property
    def cut(self) -> int:
        """How many texts were longer than the limit so far, and lost their ends."""
        return sum(count for name, count in self._counts.items() if name.endswith(CUT))

    @property
    def passage_tower(self) -> str:
        """What ties passage vectors to this model."""
        return passage_fingerprint(self._folder)

    def encode(self, texts: Sequence[T], /) -> FloatArray:
        """Return one vector per question or passage, (n, d) float32, in order.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for part in self.encode_windows([texts]):
            vectors[part.rows] = part.vectors
        return vectors

    def encode_windows(self, windows: Iterable[Sequence[T]], /) -> Iterator[Part]:
        """Yield the vectors of all texts, batch by batch, window after window.

        A batch holds texts of one window, of similar length. The same windows give the same bytes on the same
        machine, wherever in a series of windows one begins.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        # an engine may take several batches before it returns the first, so what belongs to them waits here
        waiting: deque[tuple[int, NDArray[np.int64], int, int]] = deque()

        def batches() -> Iterator[Ids]:
            for number, texts in enumerate(windows):
                before = self.cut
                pieces = self._word_pieces(texts)
                cut = self.cut - before
                for rows in length_batches(pieces, self._batch_tokens):
                    batch = [pieces[row] for row in rows]
                    waiting.append((number, rows, sum(map(len, batch)), cut))
                    # counted with the first batch of the window only
                    cut = 0
                    yield batch

        for vectors in self._forward(batches()):
            if not np.isfinite(vectors).all():
                raise ArtifactError(f"{self._folder}: a tower gives values that are not finite; train again")
            number, rows, tokens, cut = waiting.popleft()
            yield Part(number, rows, vectors, tokens, cut)

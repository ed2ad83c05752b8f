"""Reading answers, on whichever engine; the compiled one needs no torch."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from densecli.encoders.length_batches import length_batches
from densecli.encoders.session import OpenSession
from densecli.encoders.tower import CompiledTower, stored_tower
from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.folder import WEIGHTS, ReaderConfig, read_model_config
from densecli.models.reader_heads import ENCODER, Heads, head_shapes
from densecli.models.tokens import Tokens
from densecli.models.weights import FloatArray
from densecli.reader.decode import PieceSpan, ReadPassage, answers, join_pieces
from densecli.reader.features import Features, build_features
from densecli.records import Passage, Span

T = TypeVar("T")
Ids = Sequence[Sequence[int]]
Logits = tuple[FloatArray, FloatArray]
Forward = Callable[[Iterable[Ids]], Iterator[Logits]]
"""Batches of sequences of ids to start and end logits (B, L, 2) and relevance logits (B,), in order.

It may take some batches before it gives back the first.
"""
Retrieved = tuple[str, Sequence[Passage]]
"""A question and its passages."""


class Reader:
    """Reads answers out of passages (paper, section 6.1)."""

    def __init__(
        self,
        forward: Forward,
        tokens: Tokens,
        model_config: ReaderConfig,
        folder: Path,
        batch_tokens: int = 4096,
    ) -> None:
        """Read with `forward`, the tokens and properties of the model in `folder`.

        A forward pass holds passages of like length, at most `batch_tokens` padded word pieces.
        """
        self._forward = forward
        self._tokens = tokens
        self._model_config = model_config
        self._folder = folder
        self._batch_tokens = batch_tokens

    @classmethod
    def open(cls, folder: Path, open_session: OpenSession, batch_tokens: int = 4096) -> "Reader":
        """Open the compiled reader in `folder`.

        Raises:
            ArtifactError: the folder is no whole reader, or the engine refuses it.
        """
        model_config = read_model_config(folder, ReaderConfig)
        tokens = Tokens.open(folder, model_config)
        return cls(
            _open_compiled(folder, model_config, tokens, open_session),
            tokens,
            model_config,
            folder,
            batch_tokens,
        )

    def read(self, question: str, passages: Sequence[Passage], n: int) -> list[Span]:
        """Return at most `n` answers to `question`, best first (see `decode.answers`).

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        return next(self.read_all([(question, passages)], n))

    def read_all(
        self,
        asked: Iterable[tuple[str, Sequence[Passage]]],
        n: int,
        has_arrived: Callable[[], bool] | None = None,
    ) -> Iterator[list[Span]]:
        """Yield the answers to each question with its passages, as `read` does, in order.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        for read in self.read_passages(asked, has_arrived):
            yield answers(read, self.max_answer_tokens, n)

    @property
    def max_answer_tokens(self) -> int:
        """Longest answer in word pieces."""
        return self._model_config.max_answer_tokens

    def read_passages(
        self, asked: Iterable[Retrieved], has_arrived: Callable[[], bool] | None = None
    ) -> Iterator[list[ReadPassage]]:
        """Yield the logits of each question's passages, in the order of the questions and of the passages.

        The passages of the next questions may be taken before a question is finished.

        Args:
            asked: questions with their passages.
            has_arrived: returns whether the next question is there without waiting for it. Where it is not,
                the questions before it are read first.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        stream = iter(asked)
        for first in stream:
            yield from self._read(_take_arrived(first, stream, has_arrived))

    def spell_pieces(self, read: ReadPassage, span: PieceSpan) -> str:
        """Return a span as the authors' reader does: its word pieces, joined and cleaned up."""
        begin = read.features.offset
        ids = read.features.ids[begin + span.first : begin + span.last + 1]
        pieces = (self._tokens.tokenizer.id_to_token(one) for one in ids)
        return join_pieces([piece for piece in pieces if piece is not None])

    def _read(self, asked: Iterable[Retrieved]) -> Iterator[list[ReadPassage]]:
        begun: deque[_Reading] = deque()
        waiting: deque[tuple[_Reading, NDArray[np.int64]]] = deque()

        def batches() -> Iterator[Ids]:
            for question, passages in asked:
                features = build_features(self._tokens, self._model_config.max_tokens, question, passages)
                reading = _Reading(passages, features)
                begun.append(reading)
                for rows in length_batches([one.ids for one in features], self._batch_tokens):
                    waiting.append((reading, rows))
                    yield [features[row].ids for row in rows]

        for spans, relevance in self._forward(batches()):
            if not (np.isfinite(spans).all() and np.isfinite(relevance).all()):
                raise ArtifactError(
                    f"{self._folder}: the reader gives values that are not finite; train again"
                )
            reading, rows = waiting.popleft()
            reading.take(rows, spans, relevance)
            # questions come out in order, also where the batches of a later one are done first
            while begun and begun[0].is_whole:
                yield begun.popleft().passages()
        for reading in begun:  # those without passages
            yield reading.passages()


class _Reading:
    """The passages of one question, and the logits that have come so far."""

    def __init__(self, passages: Sequence[Passage], features: Sequence[Features]) -> None:
        self._passages = passages
        self._features = features
        self._read: dict[int, ReadPassage] = {}

    @property
    def is_whole(self) -> bool:
        return len(self._read) == len(self._passages)

    def take(self, rows: NDArray[np.int64], spans: FloatArray, relevance: FloatArray) -> None:
        for place, row in enumerate(rows):
            one = self._features[row]
            # an answer lies in the passage: logits of question, title and padding are cut off
            start, end = spans[place, one.offset : len(one.ids)].T
            self._read[row] = ReadPassage(self._passages[row], one, start, end, float(relevance[place]))

    def passages(self) -> list[ReadPassage]:
        return [self._read[row] for row in range(len(self._passages))]


def _take_arrived(first: T, stream: Iterator[T], has_arrived: Callable[[], bool] | None) -> Iterator[T]:
    """Yield `first` and what follows it without waiting."""
    yield first
    while has_arrived is None or has_arrived():
        try:
            item = next(stream)
        except StopIteration:
            return
        yield item


def _open_compiled(
    folder: Path, model_config: ReaderConfig, tokens: Tokens, open_session: OpenSession
) -> Forward:
    tower, words = folder / ENCODER, folder / model_config.words[ENCODER]
    shapes = head_shapes(read_config(tower)["hidden_size"])
    parts = stored_tower(tower, words, shapes)
    encoder = CompiledTower(parts, open_session, tokens.pad, separator=tokens.separator)
    if model_config.max_tokens > encoder.max_tokens:
        raise ArtifactError(
            f"{folder}: max_tokens is {model_config.max_tokens}, but its encoder has"
            f" {encoder.max_tokens} positions; copy the model folder again"
        )
    heads = Heads.open(tower / WEIGHTS)

    def forward(batches: Iterable[Ids]) -> Iterator[Logits]:
        for hidden, _ in encoder.hidden(batches):
            yield heads.spans(hidden), heads.relevance(hidden)

    return forward

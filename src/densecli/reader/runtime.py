"""Reading answers, on whichever engine; the compiled one needs no torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from densecli.encoders.bert import read_config
from densecli.encoders.compiled.onnx_session import OnnxSession
from densecli.encoders.compiled.tower import CompiledTower, stored_tower
from densecli.encoders.folder import WEIGHTS, ReaderCard, fingerprint, read_card
from densecli.encoders.length_batches import length_batches
from densecli.encoders.tokens import Tokens
from densecli.encoders.weights import FloatArray
from densecli.errors import ArtifactError
from densecli.reader.decode import ReadPassage, answers
from densecli.reader.features import build_features
from densecli.reader.heads import ENCODER, Heads, head_shapes
from densecli.records import Passage, Span

Forward = Callable[[Sequence[Sequence[int]]], tuple[FloatArray, FloatArray]]
"""Sequences of ids to start and end logits (B, L, 2) and relevance logits (B,)."""


class Reader:
    """Reads answers out of passages (paper, section 6.1)."""

    def __init__(self, forward: Forward, tokens: Tokens, card: ReaderCard, folder: Path) -> None:
        """Read with `forward`, the tokens and properties of the model in `folder`."""
        self._forward = forward
        self._tokens = tokens
        self._card = card
        self._folder = folder

    @classmethod
    def open(cls, folder: Path) -> "Reader":
        """Open the compiled reader in `folder`.

        Raises:
            ArtifactError: the folder is no whole reader.
        """
        card = read_card(folder, ReaderCard)
        tokens = Tokens.open(folder, card)
        return cls(_compiled(folder, card, tokens), tokens, card, folder)

    @property
    def fingerprint(self) -> str:
        """What ties predictions to this model."""
        return fingerprint(self._folder)

    def read(self, question: str, passages: Sequence[Passage], n: int, batch_tokens: int) -> list[Span]:
        """Return at most `n` answers to `question`, best first (see `decode.answers`).

        A forward pass holds passages of like length, at most `batch_tokens` padded word pieces.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        features = build_features(self._tokens, self._card.max_tokens, question, passages)
        read: dict[int, ReadPassage] = {}
        for rows in length_batches([one.ids for one in features], batch_tokens):
            spans, relevance = self._forward([features[row].ids for row in rows])
            if not (np.isfinite(spans).all() and np.isfinite(relevance).all()):
                raise ArtifactError(
                    f"{self._folder}: the reader gives values that are not finite; train again"
                )
            for place, row in enumerate(rows):
                one = features[row]
                start, end = spans[place, one.offset : len(one.ids)].T
                read[row] = ReadPassage(passages[row], one, start, end, float(relevance[place]))
        return answers([read[row] for row in range(len(passages))], self._card.max_answer_tokens, n)


def _compiled(folder: Path, card: ReaderCard, tokens: Tokens) -> Forward:
    tower, words = folder / ENCODER, folder / card.words[ENCODER]
    shapes = head_shapes(read_config(tower)["hidden_size"])
    parts = stored_tower(tower, words, shapes)
    encoder = CompiledTower(parts, OnnxSession, tokens.pad, separator=tokens.separator)
    if card.max_tokens > encoder.max_tokens:
        raise ArtifactError(
            f"{folder}: max_tokens is {card.max_tokens}, but its encoder has {encoder.max_tokens} positions;"
            " copy the model folder again"
        )
    heads = Heads.open(tower / WEIGHTS)

    def forward(ids: Sequence[Sequence[int]]) -> tuple[FloatArray, FloatArray]:
        ((hidden, _),) = encoder.hidden([ids])
        return heads.spans(hidden), heads.relevance(hidden)

    return forward

"""Passages (and questions, where no compiled tower is there) to vectors in torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from densecli.configs.corpus import EmbedConfig
from densecli.encoders.folder import fingerprint, passage_fingerprint
from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_encode import encode
from densecli.encoders.torch_hardware import pick_device, pick_precision, told_hardware
from densecli.encoders.torch_tower import Tower
from densecli.encoders.weights import FloatArray
from densecli.errors import ArtifactError
from densecli.records import Passage

T = TypeVar("T")


class _TorchEncoder(ABC, Generic[T]):
    """One tower of any supported model: a densecli, Hugging Face or sentence-transformers folder."""

    def __init__(
        self,
        source: str | Path,
        device: str = "cpu",
        precision: str = "fp32",
        batch_tokens: int = EmbedConfig.batch_tokens,
    ) -> None:
        """Open a model by folder or Hub name.

        Raises:
            ArtifactError: no such model, or it is incomplete or not supported.
        """
        retriever = open_retriever(str(source))
        tower, self._word_pieces = self._side(retriever)
        place = pick_device(device)
        self._tower = tower.to(place)
        self._precision = pick_precision(precision, place)
        self.about = told_hardware(place, self._precision)
        self._pad_id = retriever.tokens.pad
        self._batch_tokens = batch_tokens
        self._folder = retriever.folder
        self.fingerprint = fingerprint(retriever.folder)
        self.dimension = tower.dimension

    @property
    def passage_tower(self) -> str:
        """What ties passage vectors to this model."""
        return passage_fingerprint(self._folder)

    @abstractmethod
    def _side(self, retriever: Retriever) -> tuple[Tower, Callable[[Sequence[T]], list[list[int]]]]:
        """Return the tower, and what makes its word pieces."""

    def encode(self, texts: Sequence[T], /) -> FloatArray:
        """Return one vector per question or passage, (n, d) float32, in order.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        pieces = self._word_pieces(texts)
        vectors = encode(self._tower, pieces, self._pad_id, self._batch_tokens, self._precision)
        if not np.isfinite(vectors).all():
            raise ArtifactError(f"{self._folder}: a tower gives values that are not finite; train again")
        return vectors


class PassageEncoder(_TorchEncoder[Passage]):
    """The passage tower of a model."""

    def _side(self, retriever: Retriever) -> tuple[Tower, Callable[[Sequence[Passage]], list[list[int]]]]:
        return retriever.passage, retriever.tokens.passages


class TorchQuestionEncoder(_TorchEncoder[str]):
    """The question tower of a model without a compiled form."""

    def _side(self, retriever: Retriever) -> tuple[Tower, Callable[[Sequence[str]], list[list[int]]]]:
        return retriever.question, retriever.tokens.questions

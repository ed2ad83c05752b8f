"""Passages (and questions, where no compiled tower is there) to vectors in torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from densecli.encoders.folder import fingerprint
from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_encode import encode
from densecli.encoders.torch_hardware import pick_device, pick_precision
from densecli.encoders.torch_tower import Tower
from densecli.encoders.weights import FloatArray
from densecli.errors import ArtifactError
from densecli.records import Passage

BATCH_TOKENS = 4096


class _TorchEncoder:
    def __init__(
        self, retriever: Retriever, tower: Tower, device: str, precision: str, batch_tokens: int
    ) -> None:
        place = pick_device(device)
        self._tower = tower.to(place)
        self._precision = pick_precision(precision, place)
        self.about = f"{place}, {str(self._precision).removeprefix('torch.')}"
        self._tokens = retriever.tokens
        self._batch_tokens = batch_tokens
        self._folder = retriever.folder
        self.fingerprint = fingerprint(retriever.folder)
        self.dimension = tower.dimension

    def _run(self, sequences: Sequence[Sequence[int]]) -> FloatArray:
        vectors = encode(self._tower, sequences, self._tokens.pad, self._batch_tokens, self._precision)
        if not np.isfinite(vectors).all():
            raise ArtifactError(f"{self._folder}: a tower gives values that are not finite; train again")
        return vectors


class PassageEncoder(_TorchEncoder):
    """The passage tower of any supported model: a densecli, Hugging Face or sentence-transformers folder."""

    def __init__(
        self,
        source: str | Path,
        device: str = "auto",
        precision: str = "auto",
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        """Open a model by folder or Hub name.

        Raises:
            ArtifactError: no such model, or it is incomplete or not supported.
        """
        retriever = open_retriever(str(source))
        super().__init__(retriever, retriever.passage, device, precision, batch_tokens)

    def encode(self, passages: Sequence[Passage]) -> FloatArray:
        """Return one vector per passage, (n, d) float32, in order.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        return self._run(self._tokens.passages(passages))


class TorchQuestionEncoder(_TorchEncoder):
    """The question tower of a model without a compiled form."""

    def __init__(self, source: str | Path, device: str = "cpu", precision: str = "fp32") -> None:
        """Open a model by folder or Hub name.

        Raises:
            ArtifactError: no such model, or it is incomplete or not supported.
        """
        retriever = open_retriever(str(source))
        super().__init__(retriever, retriever.question, device, precision, BATCH_TOKENS)

    def encode(self, questions: Sequence[str]) -> FloatArray:
        """Return one vector per question, (n, d) float32, in order.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        return self._run(self._tokens.questions(questions))

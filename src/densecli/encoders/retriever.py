"""Questions to vectors for search, on the compiled runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from densecli.encoders.folder import RetrieverCard, fingerprint, read_card
from densecli.encoders.length_batches import length_batches
from densecli.encoders.onnx_tower import OnnxTower
from densecli.encoders.pooling import pool
from densecli.encoders.tokens import Tokens, check_vocabulary
from densecli.encoders.weights import FloatArray
from densecli.errors import ArtifactError

BATCH_TOKENS = 2048


class QuestionEncoder:
    """The question tower of a compiled model folder; torch is not needed."""

    def __init__(self, folder: Path) -> None:
        """Open the model in `folder`.

        Raises:
            ArtifactError: the folder is no whole retriever model.
        """
        self._card = read_card(folder, RetrieverCard)
        self._tokens = Tokens.open(folder, self._card)
        self._tower = OnnxTower(
            folder / "question",
            folder / self._card.words["question"],
            self._tokens.pad,
            last_position=self._card.last_position("question"),
        )
        check_vocabulary(self._tokens.tokenizer, [self._tower.words.shape[0]], folder)
        if self._card.max_question_tokens > self._tower.max_tokens:
            asked, held = self._card.max_question_tokens, self._tower.max_tokens
            raise ArtifactError(
                f"{folder}: max_question_tokens is {asked}, but the tower has {held} positions"
            )
        self._folder = folder
        self.fingerprint = fingerprint(folder)
        self.dimension = self._tower.words.shape[1]

    def encode(self, questions: Sequence[str]) -> FloatArray:
        """Return one vector per question, (n, d) float32.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        sequences = self._tokens.questions(questions)
        vectors = np.empty((len(sequences), self.dimension), dtype=np.float32)
        for rows in length_batches(sequences, BATCH_TOKENS):
            hidden, mask = self._tower.hidden([sequences[row] for row in rows])
            vectors[rows] = pool(hidden, mask, self._card.pooling, self._card.normalize)
        if not np.isfinite(vectors).all():
            raise ArtifactError(
                f"{self._folder}: the question tower gives values that are not finite; train again"
            )
        return vectors

"""Questions to vectors for search, on the compiled runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from densecli.encoders.bert import read_config
from densecli.encoders.compiled.onnx_tower import OnnxTower
from densecli.encoders.folder import (
    WEIGHTS,
    RetrieverCard,
    fingerprint,
    passage_fingerprint,
    read_card,
)
from densecli.encoders.length_batches import length_batches
from densecli.encoders.pooling import finish, pool
from densecli.encoders.tokens import Tokens, check_vocabulary
from densecli.encoders.weights import FloatArray, load_tensor
from densecli.errors import ArtifactError

BATCH_TOKENS = 2048


class QuestionEncoder:
    """The question tower of a compiled model folder; torch is not needed."""

    def __init__(self, folder: Path) -> None:
        """Open the model in `folder`.

        Raises:
            ArtifactError: the folder is no whole retriever model.
        """
        self._card = card = read_card(folder, RetrieverCard)
        self._tokens = Tokens.open(folder, card)
        tower, words = folder / card.tower("question"), folder / card.words["question"]
        hidden = read_config(tower)["hidden_size"]
        self._tower = OnnxTower(
            tower,
            words,
            self._tokens.pad,
            card.heads(hidden),
            card.last_position("question"),
            self._tokens.separator,
        )
        self._projection = [load_tensor(tower / WEIGHTS, name) for name in card.heads(hidden)]
        check_vocabulary(self._tokens.tokenizer, [self._tower.words.shape[0]], folder)
        if card.max_question_tokens > self._tower.max_tokens:
            asked, held = card.max_question_tokens, self._tower.max_tokens
            raise ArtifactError(
                f"{folder}: max_question_tokens is {asked}, but the tower has {held} positions"
            )
        self._folder = folder
        self.fingerprint = fingerprint(folder)
        self.dimension = card.dimension(hidden)

    @property
    def passage_tower(self) -> str:
        """What ties passage vectors to this model."""
        return passage_fingerprint(self._folder)

    def encode(self, questions: Sequence[str]) -> FloatArray:
        """Return one vector per question, (n, d) float32.

        Raises:
            ArtifactError: the weights give values that are not finite.
        """
        sequences = self._tokens.questions(questions)
        vectors = np.empty((len(sequences), self.dimension), dtype=np.float32)
        for rows in length_batches(sequences, BATCH_TOKENS):
            hidden, mask = self._tower.hidden([sequences[row] for row in rows])
            pooled = pool(hidden, mask, self._card.pooling)
            if self._projection:
                weight, bias = self._projection
                pooled = pooled @ weight.T + bias
            vectors[rows] = finish(pooled, self._card, "question")
        if not np.isfinite(vectors).all():
            raise ArtifactError(
                f"{self._folder}: the question tower gives values that are not finite; train again"
            )
        return vectors

"""BERT towers as plain arrays, outside of any engine: what files of other programs hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from densecli.errors import ArtifactError
from densecli.models.architecture import Config, architecture
from densecli.models.bert import WORD_TABLE, read_config
from densecli.models.folder import (
    PROJECTION,
    SIDES,
    WEIGHTS,
    WORDS,
    RetrieverConfig,
    present,
    read_model_config,
    write_model_config,
)
from densecli.models.tokens import check_vocabulary, read_tokenizer
from densecli.models.tower_files import write_tokenizer, write_tower
from densecli.models.weights import IGNORED, FloatArray, Shape, compare_shapes, load_state, save_state

TOKEN_TYPES = "embeddings.token_type_embeddings.weight"


@dataclass(frozen=True)
class BertTower:
    """A BERT encoder: its config and its weights by the names Hugging Face gives them, float32.

    `heads` are weights beside the encoder's: a reader's, or those of a retriever's projection.
    """

    config: Mapping[str, Any]
    state: Mapping[str, FloatArray]
    heads: Mapping[str, FloatArray]

    @classmethod
    def from_weights(
        cls,
        place: Path,
        config: Config,
        weights: Mapping[str, FloatArray],
        heads: Mapping[str, Shape] | None = None,
    ) -> "BertTower":
        """Take the weights that `config` asks for; the pooler, which is not used, is left out.

        Args:
            place: where they come from, for errors.
            config: the config of a bare BERT.
            weights: the weights by name, including `heads`.
            heads: the shapes of its heads; None takes a projection where there is one.

        Raises:
            ArtifactError: a weight is missing, too many, of another shape, or not finite; the config says
                what the compiled graph cannot.
        """
        encoder = architecture(config)
        if encoder is None or config.get("model_type") != "bert":
            raise ArtifactError(f"{place}: no plain BERT ({config.get('model_type')}); it can't be read")
        kept = {name: weight for name, weight in weights.items() if not name.startswith(IGNORED)}
        if heads is None:
            heads = RetrieverConfig(projection=projection_of(kept)).heads(config["hidden_size"])
        words = {WORD_TABLE: (config["vocab_size"], config["hidden_size"])}
        expected = words | encoder.shapes() | dict(heads)
        compare_shapes(place, {name: weight.shape for name, weight in kept.items()}, expected)
        for name, weight in kept.items():
            if weight.dtype != np.float32:
                kept[name] = weight.astype(np.float32)
            if not np.isfinite(kept[name]).all():
                raise ArtifactError(f"{place}: weight {name} holds values that are not finite")
        own = {name: kept.pop(name) for name in heads}
        return cls(config, kept, own)

    @classmethod
    def read(cls, tower: Path, words: Path, heads: Mapping[str, Shape] | None = None) -> "BertTower":
        """Read one tower of a densecli model folder.

        Raises:
            ArtifactError: as `checked`; a file is missing or damaged.
        """
        table = load_state(present(words, "word embeddings"))
        return cls.from_weights(tower, read_config(tower), load_state(tower / WEIGHTS) | table, heads)

    def write(self, tower: Path, words: Path) -> None:
        """Write the tower into a densecli model folder, its word table apart."""
        tower.mkdir(parents=True, exist_ok=True)
        save_state(words, {WORD_TABLE: self.state[WORD_TABLE]})
        others = {name: weight for name, weight in self.state.items() if name != WORD_TABLE}
        write_tower(tower, self.config, others | dict(self.heads))


def projection_of(weights: Mapping[str, FloatArray]) -> int:
    """Return how long the vectors are that weights project to, 0 where they do not."""
    return len(weights.get(f"{PROJECTION}.weight", ()))


def one_token_type(state: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the weights with the first token type's vector for every type: marks of segments do nothing."""
    types = state[TOKEN_TYPES]
    return {**state, TOKEN_TYPES: np.repeat(types[:1], len(types), axis=0)}


@dataclass(frozen=True)
class BertRetriever:
    """Two BERT towers, their tokenizer, and how text becomes vectors."""

    question: BertTower
    passage: BertTower
    tokenizer: Tokenizer
    model_config: RetrieverConfig

    @classmethod
    def read(cls, folder: Path) -> "BertRetriever":
        """Read a densecli model folder.

        Raises:
            ArtifactError: it is no whole retriever, or its towers are no BERTs.
        """
        model_config = read_model_config(folder, RetrieverConfig)
        places = [(folder / model_config.tower(side), folder / model_config.words[side]) for side in SIDES]
        question, passage = (
            BertTower.read(tower, words, model_config.heads(read_config(tower)["hidden_size"]))
            for tower, words in places
        )
        return cls(question, passage, read_tokenizer(folder), model_config)

    def write(self, folder: Path) -> None:
        """Write a densecli model folder, ready to search with.

        Raises:
            ArtifactError: towers and tokenizer do not fit together.
        """
        folder.mkdir(parents=True, exist_ok=True)
        towers = {"question": self.question, "passage": self.passage}
        # files of other programs have two towers, even where both are equal
        model_config = replace(self.model_config, shared_encoder=False, words=RetrieverConfig().words)
        if len({(tower.config["hidden_size"], projection_of(tower.heads)) for tower in towers.values()}) > 1:
            raise ArtifactError(f"{folder}: the towers' vectors differ in length; they are of two models")
        rows = [tower.config["vocab_size"] for tower in towers.values()]
        check_vocabulary(self.tokenizer, rows, folder)
        for name, tower in towers.items():
            tower.write(folder / name, folder / name / WORDS)
        write_tokenizer(self.tokenizer, folder)
        write_model_config(folder, model_config)

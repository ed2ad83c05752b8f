"""DPR's own checkpoints (`.cp`), of its first release and of version 1.0, read as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from densecli.errors import ArtifactError
from densecli.files.pickled.torch_file import Settings, StoredTensor, read_torch_file
from densecli.models.bert import DEFAULTS, WORD_TABLE, bert_config, read_config
from densecli.models.folder import CONFIG, RetrieverConfig
from densecli.models.foreign.bert_tower import BertRetriever, BertTower, projection_of
from densecli.models.foreign.vocabulary import open_bert_tokenizer
from densecli.models.hub import local_folder
from densecli.models.weights import FloatArray

PREFIXES = {"question": "question_model.", "passage": "ctx_model."}
ENCODER_TYPE = "hf_bert"
MAX_TOKENS = 256
HEADS = {768: 12, 1024: 16}
"""Attention heads of the two published BERT sizes; no weight shows them."""


@dataclass(frozen=True)
class DprCheckpoint:
    """What a `.cp` file holds.

    `settings` are the encoder's parameters, without the omegaconf objects around them; `first_release` is
    False for a file of DPR 1.0, whose inputs end in a `[SEP]` at the last position.
    """

    path: Path
    weights: Mapping[str, FloatArray]
    settings: Mapping[str, Any]
    first_release: bool

    @classmethod
    def read(cls, path: Path) -> "DprCheckpoint":
        """Read a checkpoint.

        Raises:
            ArtifactError: the file is missing, damaged, not DPR's, or of an encoder that is not a BERT.
        """
        held = read_torch_file(path)
        if not isinstance(held, dict) or not isinstance(held.get("model_dict"), dict):
            raise ArtifactError(f"{path}: no 'model_dict' in it; expected a checkpoint of DPR")
        settings = _settings(path, held.get("encoder_params"))
        kind = settings.get("encoder_model_type", ENCODER_TYPE)
        if kind != ENCODER_TYPE:
            raise ArtifactError(f"{path}: an encoder of type {_show(kind)}; {ENCODER_TYPE} is supported")
        if settings.get("special_tokens"):  # DPR would put them in the place of unused word pieces
            raise ArtifactError(
                f"{path}: special_tokens are {_show(settings['special_tokens'])}; densecli cannot apply them"
            )
        weights: dict[str, FloatArray] = {}
        for name, tensor in held["model_dict"].items():
            if not isinstance(tensor, StoredTensor):
                raise ArtifactError(f"{path}: {name!r:.80} is not a tensor; expected a checkpoint of DPR")
            weights[name] = tensor.read()
        return cls(path, weights, settings, not settings.get("nested", False))

    @property
    def is_reader(self) -> bool:
        """Whether it is a reader's and not a retriever's."""
        return "qa_outputs.weight" in self.weights

    @property
    def lower_case(self) -> bool:
        """Whether text is lower-cased."""
        return self.settings.get("do_lower_case", True) is not False

    @property
    def max_tokens(self) -> int:
        """Word pieces of its inputs."""
        length = self.settings.get("sequence_length")
        return length if isinstance(length, int) and length >= 2 else MAX_TOKENS

    def base(self, named: Path | None) -> Path:
        """Return the folder of its tokenizer and BERT config: the named one, else the base of its training.

        Raises:
            ArtifactError: there is no such folder here, and it can't be fetched.
        """
        if named is not None:
            return named
        start = self.settings.get("pretrained_model_cfg") or "google-bert/bert-base-uncased"
        if not isinstance(start, str):
            raise ArtifactError(f"{self.path}: 'pretrained_model_cfg' is {_show(start)}; expected a name")
        try:
            return local_folder(start)
        except ArtifactError as error:
            reason = str(error).partition("; ")[0]
            raise ArtifactError(
                f"{self.path}: has the tokenizer of {start}; name a folder that holds it as `base` ({reason})"
            ) from None

    def tower(self, prefix: str, base: Path, heads: Mapping[str, tuple[int, ...]] | None = None) -> BertTower:
        """Return the encoder whose weights begin with `prefix`, with a reader's `heads` or its projection.

        Raises:
            ArtifactError: it doesn't fit the config in `base`, or is not whole.
        """
        held = {name.removeprefix(prefix): w for name, w in self.weights.items() if name.startswith(prefix)}
        if WORD_TABLE not in held:
            raise ArtifactError(f"{self.path}: no weight {prefix}{WORD_TABLE} in it; it holds another model")
        own = {name: self.weights[name] for name in heads or {} if name in self.weights}
        return BertTower.from_weights(self.path, self._config(base, held), held | own, heads)

    def _config(self, base: Path, weights: Mapping[str, FloatArray]) -> dict[str, Any]:
        if weights[WORD_TABLE].ndim != 2:
            raise ArtifactError(f"{self.path}: its word embeddings are no table; copy the checkpoint again")
        words, hidden = weights[WORD_TABLE].shape
        if (base / CONFIG).is_file():
            return bert_config(read_config(base)) | {"vocab_size": words}
        if hidden not in HEADS:
            raise ArtifactError(
                f"{base}: no {CONFIG} in it, and a BERT {hidden} wide is none of those published;"
                " name the folder of the model that training began with"
            )

        def rows(name: str) -> int:
            return len(np.atleast_1d(weights.get(name, ())))

        return DEFAULTS | {
            "model_type": "bert",
            "vocab_size": words,
            "hidden_size": hidden,
            "num_attention_heads": HEADS[hidden],
            # each layer has two such weights, one behind the attention and one behind the feed-forward part
            "num_hidden_layers": sum(name.endswith(".output.dense.bias") for name in weights) // 2,
            "intermediate_size": rows("encoder.layer.0.intermediate.dense.weight"),
            "max_position_embeddings": rows("embeddings.position_embeddings.weight"),
            "type_vocab_size": rows("embeddings.token_type_embeddings.weight"),
        }


def _show(value: Any) -> str:
    """Return a setting as an error shows it: a text, or the type of anything else."""
    return f"{value[:80]!r}" if isinstance(value, str) else f"a {type(value).__name__}"


def _settings(path: Path, held: Any) -> dict[str, Any]:
    """Return the encoder's parameters as a flat dict; `nested` says that the file is of DPR 1.0."""
    if not isinstance(held, dict):
        raise ArtifactError(f"{path}: no 'encoder_params' in it; expected a checkpoint of DPR")
    inner = held.get("encoder")
    if isinstance(inner, Settings):
        inner = inner.plain
        if not isinstance(inner, dict):
            raise ArtifactError(f"{path}: 'encoder_params' are damaged; copy the checkpoint again")
    outer = {name: value for name, value in held.items() if name != "encoder"}
    # DPR 1.0 stores its encoder's settings in a dict of omegaconf, the first release in a flat one
    return {**outer, **inner, "nested": True} if isinstance(inner, dict) else outer


def read_retriever_checkpoint(
    path: Path, base: Path | None = None, trailing_sep: bool | None = None
) -> BertRetriever:
    """Read the two encoders of a bi-encoder checkpoint.

    Args:
        path: the `.cp` file.
        base: folder with the tokenizer and `config.json` of the BERT it was trained from; None finds the
            one that the file names.
        trailing_sep: whether inputs end in a `[SEP]` at the last position; None goes by the file: yes for
            DPR 1.0, whose code wrote it, no for the first release.

    Raises:
        ArtifactError: the file or its base is missing, damaged, a reader's, or not supported.
    """
    found = DprCheckpoint.read(path)
    if found.is_reader:
        raise ArtifactError(f"{path}: the checkpoint of a reader; a retriever's is needed here")
    folder = found.base(base)
    question, passage = (found.tower(prefix, folder) for prefix in PREFIXES.values())
    stored, held = found.settings.get("projection_dim") or 0, projection_of(question.heads)
    if stored != held:
        raise ArtifactError(f"{path}: projection_dim is {stored!r:.80}, but the weights project to {held}")
    # one length for both towers, as in DPR
    limit = min(found.max_tokens, question.config["max_position_embeddings"])
    if trailing_sep is None:
        trailing_sep = bool(found.settings.get("trailing_sep", not found.first_release))
    model_config = RetrieverConfig(
        max_question_tokens=limit,
        max_passage_tokens=limit,
        trailing_sep=trailing_sep,
        projection=held,
    )
    return BertRetriever(question, passage, open_bert_tokenizer(folder, found.lower_case), model_config)

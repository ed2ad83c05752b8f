"""Two towers as they are, from a densecli folder or a Hugging Face one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import nn
from transformers import AutoTokenizer

from densecli.encoders.torch_load import bert_model, load_pretrained, load_tower
from densecli.encoders.torch_projection import projection
from densecli.encoders.torch_tower import Tower, position_limit
from densecli.errors import ArtifactError
from densecli.models.folder import SIDES, TOKENIZER, RetrieverConfig, is_model_folder, read_model_config
from densecli.models.foreign.dpr_folder import FOLDERS, is_dpr_folder, is_dpr_pair, read_dpr_pair
from densecli.models.foreign.sentence_transformers import read_model_config_of, with_lower_case
from densecli.models.hub import local_folder
from densecli.models.tokens import Tokens, check_tokenizer, check_vocabulary, read_tokenizer

VOCABULARIES = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model")


@dataclass
class Retriever:
    """Both towers, the tokenizer, and how text becomes vectors."""

    question: Tower
    passage: Tower
    tokenizer: Tokenizer
    model_config: RetrieverConfig
    folder: Path

    @property
    def tokens(self) -> Tokens:
        """The tokenizer with this model's limits."""
        return Tokens(self.tokenizer, self.model_config)


def open_retriever(source: str) -> Retriever:
    """Open a model as it is, with its own pooling and normalization.

    Args:
        source: a densecli model folder, a folder with `question_encoder` and `ctx_encoder` of Hugging
            Face's DPR classes, a Hugging Face or sentence-transformers folder (the same encoder is then
            both towers), or a name on the Hub.

    Raises:
        ArtifactError: no such model, or it is incomplete or not supported.
    """
    folder = local_folder(source)
    if is_model_folder(folder):
        return _open_own(folder)
    if is_dpr_pair(folder):
        return _open_pair(folder)
    if is_dpr_folder(folder):
        raise ArtifactError(
            f"{folder}: one of the encoders of a DPR model; put both into one folder, as "
            f"{' and '.join(FOLDERS.values())}, and name that"
        )
    model = load_pretrained(folder)
    model_config = read_model_config_of(folder, position_limit(model))
    tokenizer = with_lower_case(open_tokenizer(folder), folder)
    return _build_retriever((model, model), (None, None), tokenizer, model_config, folder)


def _open_own(folder: Path) -> Retriever:
    model_config = read_model_config(folder, RetrieverConfig)
    places = [(folder / model_config.tower(side), folder / model_config.words[side]) for side in SIDES]
    loaded = [
        load_tower(*place, model_config.heads) for place in places[: 1 if model_config.shared_encoder else 2]
    ]
    # a shared tower is loaded once and is both
    towers = [(model, projection(heads)) for model, heads in loaded] * 2
    models, layers = zip(*towers[:2], strict=True)
    if models[0].config.hidden_size != models[1].config.hidden_size:
        raise ArtifactError(f"{folder}: the towers' vectors differ in length; train them together")
    return _build_retriever(models, layers, read_tokenizer(folder), model_config, folder)


def _open_pair(folder: Path) -> Retriever:
    found = read_dpr_pair(*(folder / name for name in FOLDERS.values()))
    towers = found.question, found.passage
    models = [bert_model(tower.config, tower.state) for tower in towers]
    layers = [projection(tower.heads) for tower in towers]
    return _build_retriever(models, layers, found.tokenizer, found.model_config, folder)


def _build_retriever(
    models: Sequence[Any],
    layers: Sequence[nn.Linear | None],
    tokenizer: Tokenizer,
    model_config: RetrieverConfig,
    folder: Path,
) -> Retriever:
    check_vocabulary(tokenizer, (len(model.get_input_embeddings().weight) for model in models), folder)
    separator = Tokens(tokenizer, model_config).separator
    question, passage = (
        Tower(model, model_config, side, separator, layer)
        for model, side, layer in zip(models, SIDES, layers, strict=True)
    )
    return Retriever(question, passage, tokenizer, model_config, folder)


def open_tokenizer(folder: Path) -> Tokenizer:
    """Return the fast tokenizer of a Hugging Face folder.

    Raises:
        ArtifactError: it is missing, or frames no text.
    """
    if (folder / TOKENIZER).is_file():
        return read_tokenizer(folder)
    if not any((folder / name).is_file() for name in VOCABULARIES):  # transformers would make an empty one up
        raise ArtifactError(
            f"{folder}: no tokenizer.json and no vocabulary in it; copy the whole model folder"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except Exception as error:
        raise ArtifactError(f"{folder}: no tokenizer in it ({str(error).splitlines()[0]})") from error
    check_tokenizer(backend, folder)
    return backend

"""Readers in torch, out of folders and into them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from densecli.encoders.length_batches import pad
from densecli.encoders.torch_base import open_tokenizer
from densecli.encoders.torch_hardware import arithmetic, batch_tokens_on
from densecli.encoders.torch_load import load_pretrained, load_tower
from densecli.encoders.torch_save import save_encoder
from densecli.encoders.torch_tower import check_token_types, position_limit
from densecli.errors import UsageError
from densecli.models.folder import (
    WORDS,
    ReaderConfig,
    RetrieverConfig,
    is_model_folder,
    read_model_config,
    write_model_config,
)
from densecli.models.hub import local_folder
from densecli.models.reader_heads import ENCODER, head_shapes
from densecli.models.tokens import Tokens, check_vocabulary, read_tokenizer
from densecli.models.tower_files import write_tokenizer
from densecli.reader.runtime import Ids, Logits, Reader
from densecli.reader.torch_model import ReaderModel


@dataclass
class TorchReader:
    """A reader's model, tokenizer and properties, and the folder it comes from."""

    model: ReaderModel
    tokenizer: Tokenizer
    model_config: ReaderConfig
    folder: Path

    @property
    def tokens(self) -> Tokens:
        """The tokenizer with this model's limits."""
        return Tokens(self.tokenizer, self.model_config)

    def reading(self, precision: torch.dtype, batch_tokens: int | None = None) -> Reader:
        """Return a reader that runs this model, as it is at the time and without dropout."""
        pad_id = self.tokens.pad

        def forward(batches: Iterable[Ids]) -> Iterator[Logits]:
            for sequences in batches:
                # in each batch, since a training switches dropout on in between
                self.model.eval()
                device = self.model.device
                ids, mask = (torch.from_numpy(array).to(device) for array in pad(sequences, pad_id))
                with torch.inference_mode(), arithmetic(device, precision):
                    found = self.model(ids, mask)
                spans = torch.stack([found.start, found.end], dim=-1)
                yield spans.cpu().numpy(), found.relevance.cpu().numpy()

        size = batch_tokens or batch_tokens_on(self.model.device)
        return Reader(forward, self.tokens, self.model_config, self.folder, size)


def open_reader(folder: Path) -> TorchReader:
    """Open a reader folder that densecli wrote.

    Raises:
        ArtifactError: it is missing, incomplete, damaged, or not a reader.
    """
    model_config = read_model_config(folder, ReaderConfig)
    encoder, heads = load_tower(folder / ENCODER, folder / model_config.words[ENCODER], head_shapes)
    tokenizer = read_tokenizer(folder)
    check_vocabulary(tokenizer, [len(encoder.get_input_embeddings().weight)], folder)
    model = ReaderModel(encoder, _separator(tokenizer, model_config, encoder))
    state = {name: torch.from_numpy(weight) for name, weight in heads.items()}
    # the encoder is loaded already; only the heads are replaced
    model.load_state_dict(model.state_dict() | state)
    return TorchReader(model, tokenizer, model_config, folder)


def open_reader_base(
    source: str, max_tokens: int, max_answer_tokens: int, seed: int, token_types: str | None = None
) -> TorchReader:
    """Open what a reader is trained from.

    Args:
        source: a reader folder (which is trained on), a retriever folder (its passage tower), a Hugging Face
            or sentence-transformers folder, or a name on the Hub.
        max_tokens: word pieces of question, title and passage together.
        max_answer_tokens: word pieces of the longest answer.
        seed: the seed of new heads, N(0, 0.02), if the base has none.
        token_types: `zeros`, or `segments` as in DPR 1.0; None takes the base's, which is zeros but for
            a reader that has segments.

    Raises:
        ArtifactError: no such model, or it is incomplete or not supported.
        UsageError: `max_tokens` exceeds the encoder's positions, or the token types contradict a reader's.
    """
    folder = local_folder(source)
    if is_model_folder(folder) and (folder / ENCODER).is_dir():
        reader = open_reader(folder)
        if token_types not in (None, reader.model_config.token_types):
            trained = reader.model_config.token_types
            raise UsageError(
                f"`token_types` {token_types} contradicts {source}, which was trained with {trained}"
            )
    else:
        reader = _without_heads(folder)
        reader.model.start_heads(seed)
    limit = position_limit(reader.model.encoder)
    if max_tokens > limit:
        raise UsageError(f"`max_tokens` is {max_tokens}; {source} has positions for {limit}")
    reader.model_config = replace(
        reader.model_config,
        max_tokens=max_tokens,
        max_answer_tokens=max_answer_tokens,
        token_types=token_types or reader.model_config.token_types,
    )
    reader.model.separator = _separator(reader.tokenizer, reader.model_config, reader.model.encoder)
    return reader


def save_reader(reader: TorchReader, folder: Path) -> None:
    """Write a reader folder: the training form, and the compiled form of a BERT."""
    folder.mkdir(parents=True, exist_ok=True)
    state = reader.model.state_dict()
    heads = {name: state[name].cpu().numpy() for name in head_shapes(0)}
    words = f"{ENCODER}/{WORDS}"
    save_encoder(reader.model.encoder, folder / ENCODER, folder / words, heads)
    write_tokenizer(reader.tokenizer, folder)
    write_model_config(folder, replace(reader.model_config, words={ENCODER: words}))


def _without_heads(folder: Path) -> TorchReader:
    if is_model_folder(folder):
        retriever = read_model_config(folder, RetrieverConfig)
        tower, words = folder / retriever.tower("passage"), folder / retriever.words["passage"]
        encoder, _ = load_tower(tower, words, retriever.heads)
        tokenizer = read_tokenizer(folder)
    else:
        encoder, tokenizer = load_pretrained(folder), open_tokenizer(folder)
    check_vocabulary(tokenizer, [len(encoder.get_input_embeddings().weight)], folder)
    return TorchReader(ReaderModel(encoder), tokenizer, ReaderConfig(), folder)


def _separator(tokenizer: Tokenizer, model_config: ReaderConfig, encoder: Any) -> int | None:
    """Return the id behind whose first place tokens are of type 1, where the reader does that.

    Raises:
        ArtifactError: the encoder has no such type.
    """
    separator = Tokens(tokenizer, model_config).separator
    if separator is not None:
        check_token_types(encoder)
    return separator

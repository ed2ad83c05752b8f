"""Readers in torch, out of folders and into them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from densecli.encoders.bert import read_config
from densecli.encoders.folder import WORDS, ReaderCard, RetrieverCard, is_model_folder, read_card, write_card
from densecli.encoders.hub import local_folder
from densecli.encoders.length_batches import pad
from densecli.encoders.tokens import Tokens, read_tokenizer
from densecli.encoders.torch_base import open_tokenizer
from densecli.encoders.torch_hardware import arithmetic
from densecli.encoders.torch_save import save_encoder
from densecli.encoders.torch_tower import load_pretrained, load_tower, position_limit
from densecli.encoders.tower_files import write_tokenizer
from densecli.encoders.weights import FloatArray
from densecli.errors import UsageError
from densecli.reader.heads import ENCODER, head_shapes
from densecli.reader.runtime import Reader
from densecli.reader.torch_model import ReaderModel


@dataclass
class TorchReader:
    """A reader's model, tokenizer and properties, and the folder it comes from."""

    model: ReaderModel
    tokenizer: Tokenizer
    card: ReaderCard
    folder: Path

    @property
    def tokens(self) -> Tokens:
        """The tokenizer with this model's limits."""
        return Tokens(self.tokenizer, self.card)

    def reading(self, precision: torch.dtype) -> Reader:
        """Return a reader that runs this model, as it is at the time and without dropout."""
        pad_id = self.tokens.pad

        @torch.inference_mode()
        def forward(sequences: Sequence[Sequence[int]]) -> tuple[FloatArray, FloatArray]:
            self.model.eval()
            device = self.model.device
            ids, mask = (torch.from_numpy(array).to(device) for array in pad(sequences, pad_id))
            with arithmetic(device, precision):
                found = self.model(ids, mask)
            return torch.stack([found.start, found.end], dim=-1).cpu().numpy(), found.relevance.cpu().numpy()

        return Reader(forward, self.tokens, self.card, self.folder)


def open_reader(folder: Path) -> TorchReader:
    """Open a reader folder that densecli wrote.

    Raises:
        ArtifactError: it is not there, incomplete, damaged, or no reader.
    """
    card = read_card(folder, ReaderCard)
    tower = folder / ENCODER
    shapes = head_shapes(read_config(tower)["hidden_size"])
    encoder, heads = load_tower(tower, folder / card.words[ENCODER], shapes)
    model = ReaderModel(encoder)
    state = {name: torch.from_numpy(weight) for name, weight in heads.items()}
    model.load_state_dict(model.state_dict() | state)
    return TorchReader(model, read_tokenizer(folder), card, folder)


def open_reader_base(source: str, max_tokens: int, max_answer_tokens: int, seed: int) -> TorchReader:
    """Open what a reader is trained from.

    Args:
        source: a reader folder (which is trained on), a retriever folder (its passage tower), a Hugging Face
            or sentence-transformers folder, or a name on the Hub.
        max_tokens: word pieces of question, title and passage together.
        max_answer_tokens: word pieces of the longest answer.
        seed: of the heads, N(0, 0.02), where the base has none.

    Raises:
        ArtifactError: no such model, or it is incomplete or not supported.
        UsageError: `max_tokens` exceeds the encoder's positions.
    """
    folder = local_folder(source)
    if is_model_folder(folder) and (folder / ENCODER).is_dir():
        reader = open_reader(folder)
    else:
        reader = _without_heads(folder)
        reader.model.start_heads(seed)
    limit = position_limit(reader.model.encoder)
    if max_tokens > limit:
        raise UsageError(f"--max-tokens is {max_tokens}; {source} has positions for {limit}")
    reader.card = replace(reader.card, max_tokens=max_tokens, max_answer_tokens=max_answer_tokens)
    return reader


def save_reader(reader: TorchReader, folder: Path) -> None:
    """Write a reader folder: the training form, and the compiled form of a BERT."""
    folder.mkdir(parents=True, exist_ok=True)
    state = reader.model.state_dict()
    heads = {name: state[name].cpu().numpy() for name in head_shapes(0)}
    words = f"{ENCODER}/{WORDS}"
    save_encoder(reader.model.encoder, folder / ENCODER, folder / words, heads)
    write_tokenizer(reader.tokenizer, folder)
    write_card(folder, replace(reader.card, words={ENCODER: words}))


def _without_heads(folder: Path) -> TorchReader:
    if is_model_folder(folder):
        retriever = read_card(folder, RetrieverCard)
        encoder, _ = load_tower(folder / "passage", folder / retriever.words["passage"])
        return TorchReader(ReaderModel(encoder), read_tokenizer(folder), ReaderCard(), folder)
    return TorchReader(ReaderModel(load_pretrained(folder)), open_tokenizer(folder), ReaderCard(), folder)

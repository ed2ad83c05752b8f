"""Writes trained towers as a densecli model folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from densecli.encoders.folder import WORDS, write_card
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_tower import word_table_name
from densecli.encoders.tower_files import write_tokenizer, write_tower
from densecli.encoders.weights import FloatArray, save_state

OTHER_KEYS = ("_name_or_path", "transformers_version", "dtype", "id2label", "label2id")


def save_retriever(retriever: Retriever, folder: Path) -> None:
    """Write both towers into `folder`: the training form, and the compiled form of a BERT.

    Towers that share their word table (frozen embeddings) store it once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    towers = {"question": retriever.question.model, "passage": retriever.passage.model}
    shared = len({id(model.get_input_embeddings().weight) for model in towers.values()}) == 1
    words = {name: WORDS if shared else f"{name}/{WORDS}" for name in towers}
    for name, model in towers.items():
        save_encoder(model, folder / name, folder / words[name])
    write_tokenizer(retriever.tokenizer, folder)
    write_card(folder, replace(retriever.card, words=words))


def save_encoder(model: Any, tower: Path, words: Path, heads: dict[str, FloatArray] | None = None) -> None:
    """Write one encoder: its word table to `words`, the rest (and `heads`) into the folder `tower`."""
    state = {name: weight.detach().cpu().numpy() for name, weight in model.state_dict().items()}
    table = word_table_name(model)
    tower.mkdir(parents=True, exist_ok=True)
    save_state(words, {table: state.pop(table)})
    config = {name: value for name, value in model.config.to_dict().items() if name not in OTHER_KEYS}
    write_tower(tower, config, state | (heads or {}))

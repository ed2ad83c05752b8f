"""Writes trained towers as a densecli model folder."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_tower import word_table_name
from densecli.models.folder import (
    CONFIG,
    GRAPH,
    PROJECTION,
    WEIGHTS,
    WORDS,
    RetrieverConfig,
    is_model_folder,
    read_model_config,
    write_model_config,
)
from densecli.models.tower_files import write_tokenizer, write_tower
from densecli.models.weights import FloatArray, save_state

TOWER_FILES = (CONFIG, WEIGHTS, GRAPH)
# They name a machine's folder or the version of a library, so the same weights would get another fingerprint.
OTHER_KEYS = ("_name_or_path", "transformers_version", "dtype", "id2label", "label2id")


def save_retriever(retriever: Retriever, folder: Path) -> None:
    """Write both towers into `folder`: the training form, and the compiled form of a BERT.

    A tower for both is stored once, and so is a word table that two towers share (frozen embeddings). A
    passage tower that was not trained keeps the bytes that it has in its densecli folder, and so the vectors
    that it made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model_config = retriever.model_config
    towers = {"question": retriever.question, "passage": retriever.passage}
    # identity and not equality: two tables that are trained may be equal only by chance
    tables = {id(tower.model.get_input_embeddings().weight) for tower in towers.values()}
    words = {side: f"{model_config.tower(side)}/{WORDS}" for side in towers}
    if len(tables) == 1 and not model_config.shared_encoder:
        words = dict.fromkeys(towers, WORDS)
    # copied as a file: written again by another version, its digest could differ, and with it that of the
    # vectors
    fixed = is_model_folder(retriever.folder) and not retriever.passage.trainable
    for side in {model_config.tower(side): None for side in towers}:
        if side == "passage" and fixed:
            _copy_passage_tower(retriever.folder, folder, words[side])
            continue
        tower = towers[side]
        layer = {} if tower.encode_proj is None else tower.encode_proj.state_dict()
        heads = {f"{PROJECTION}.{name}": weight.cpu().numpy() for name, weight in layer.items()}
        save_encoder(tower.model, folder / side, folder / words[side], heads)
    write_tokenizer(retriever.tokenizer, folder)
    write_model_config(folder, replace(model_config, words=words))


def _copy_passage_tower(base: Path, folder: Path, words: str) -> None:
    (folder / "passage").mkdir(exist_ok=True)
    model_config = read_model_config(base, RetrieverConfig)
    for name in TOWER_FILES:
        if (base / model_config.tower("passage") / name).exists():
            shutil.copyfile(base / model_config.tower("passage") / name, folder / "passage" / name)
    shutil.copyfile(base / model_config.words["passage"], folder / words)


def save_encoder(model: Any, tower: Path, words: Path, heads: dict[str, FloatArray] | None = None) -> None:
    """Write one encoder: its word table to `words`, the rest (and `heads`) into the folder `tower`."""
    state = {name: weight.detach().cpu().numpy() for name, weight in model.state_dict().items()}
    table = word_table_name(model)
    tower.mkdir(parents=True, exist_ok=True)
    save_state(words, {table: state.pop(table)})
    config = {name: value for name, value in model.config.to_dict().items() if name not in OTHER_KEYS}
    write_tower(tower, config, state | (heads or {}))

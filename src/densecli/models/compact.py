"""A trained model in compact form: 8-bit rows with a scale each, and one word table where it is shared."""

import shutil
from dataclasses import replace
from os.path import relpath
from pathlib import Path

from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.folder import (
    TOKENIZER,
    WEIGHTS,
    C,
    RetrieverConfig,
    present,
    read_model_config,
    write_model_config,
)
from densecli.models.tower_files import write_tower
from densecli.models.weights import load_state, save_state


def compact(source: Path, target: Path, card_type: type[C], shared_words: Path | None = None) -> None:
    """Write the model in `source` (a retriever's or a reader's folder) compactly into `target`.

    Args:
        source: a model folder.
        target: a new folder.
        card_type: RetrieverConfig or ReaderConfig.
        shared_words: a file outside `target` that several models use as their word table; it is
            written when it isn't there, and must hold the same table when it is.

    Raises:
        ArtifactError: the model is damaged, or its word table is not the shared one.
    """
    model_config = read_model_config(source, card_type)
    target.mkdir(parents=True, exist_ok=True)
    words = {}
    for side, name in model_config.words.items():
        path = shared_words or target / name
        words[side] = Path(relpath(path, target)).as_posix()
        tower = model_config.tower(side) if isinstance(model_config, RetrieverConfig) else side
        if tower != side:
            continue
        state = load_state(source / tower / WEIGHTS)
        write_tower(target / tower, read_config(source / tower), state, compact=True)
        _write_words(source / name, path)
    shutil.copyfile(present(source / TOKENIZER, "tokenizer"), target / TOKENIZER)
    write_model_config(target, replace(model_config, words=words))


def _write_words(source: Path, target: Path) -> None:
    # written beside the target first: compared as bytes, since the shared table is stored as 8-bit rows
    made = target.with_name(target.name + ".new")
    save_state(made, load_state(source), compact=True)
    same = not target.exists() or target.read_bytes() == made.read_bytes()
    if not same:
        made.unlink()
        raise ArtifactError(
            f"{source}: not the word table of {target}; train with `freeze_embeddings` from one base"
        )
    made.replace(target)

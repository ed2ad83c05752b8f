"""One tower of a folder of another program, for the compiled engines, read without torch."""

from pathlib import Path

import numpy as np

from densecli.encoders.built import built_tower
from densecli.encoders.side import Side
from densecli.errors import ArtifactError
from densecli.models.architecture import Architecture, architecture
from densecli.models.bert import read_config
from densecli.models.folder import TOKENIZER, RetrieverConfig
from densecli.models.foreign.bert_tower import BertTower
from densecli.models.foreign.dpr_folder import FOLDERS, is_dpr_pair, read_dpr_pair
from densecli.models.foreign.hugging_face import read_weights
from densecli.models.foreign.sentence_transformers import read_model_config_of, with_lower_case
from densecli.models.tokens import Tokens, check_vocabulary, read_tokenizer
from densecli.models.weights import FloatArray

PREFIXES = ("", "bert.", "roberta.", "distilbert.", "mpnet.", "model.")
"""What comes before the names of an encoder's weights in a model with a head, such as a language model's."""
# As TensorFlow named them; the checkpoints of the first BERT releases still do.
OLD_NAMES = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


def read_side(folder: Path, name: str) -> Side | None:
    """Read one tower of a Hugging Face, sentence-transformers or DPR folder.

    Args:
        folder: the folder of the model.
        name: `question` or `passage`.

    Returns:
        The tower; None where torch has to read it, or to say what is wrong with it.
    """
    try:
        return _pair_side(folder, name) if is_dpr_pair(folder) else _plain_side(folder, name)
    except ArtifactError:  # torch can read more (weights in bfloat16), or says what is wrong
        return None


def _pair_side(folder: Path, name: str) -> Side:
    found = read_dpr_pair(*(folder / inner for inner in FOLDERS.values()))
    tower: BertTower = found.question if name == "question" else found.passage
    encoder = architecture(tower.config)
    if encoder is None:
        raise ArtifactError(f"{folder}: no encoder for compiled engines")
    parts = built_tower(folder, encoder, tower.state)
    tokens = Tokens(found.tokenizer, found.model_config)
    return Side(name, folder, found.model_config, tokens, parts, list(tower.heads.values()))


def _plain_side(folder: Path, name: str) -> Side | None:
    encoder = architecture(read_config(folder))
    if encoder is None or not (folder / TOKENIZER).is_file():
        return None
    state = _state(folder, encoder)
    if state is None:
        return None
    model_config: RetrieverConfig = read_model_config_of(folder, encoder.max_tokens)
    tokenizer = with_lower_case(read_tokenizer(folder), folder)
    check_vocabulary(tokenizer, [encoder.vocabulary], folder)
    return Side(
        name, folder, model_config, Tokens(tokenizer, model_config), built_tower(folder, encoder, state), []
    )


def _state(folder: Path, encoder: Architecture) -> dict[str, FloatArray] | None:
    """Return the encoder's weights; None where one is missing, of another shape or not finite."""
    held = read_weights(folder)
    wanted = encoder.shapes() | {encoder.words: (encoder.vocabulary, encoder.hidden)}
    # the word table is the one weight that every architecture has
    prefix = next((one for one in PREFIXES if one + encoder.words in held), "")
    state: dict[str, FloatArray] = {}
    for name, shape in wanted.items():
        old = name
        for new, before in OLD_NAMES.items():
            old = old.replace(new, before)
        weight = held.get(prefix + name, held.get(prefix + old))
        if weight is None or weight.shape != shape or not np.isfinite(weight).all():
            return None
        state[name] = weight
    return state

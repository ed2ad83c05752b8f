"""A retriever as two sentence-transformers folders, one for questions and one for passages."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from densecli.errors import ArtifactError
from densecli.models.bert import bert_config, read_config
from densecli.models.folder import RetrieverConfig
from densecli.models.foreign.bert_tower import BertRetriever, BertTower, one_token_type
from densecli.models.foreign.dpr_folder import refuse_segments, refuse_trailing_sep
from densecli.models.foreign.hugging_face import read_weights, write_model
from densecli.models.foreign.sentence_transformers import (
    LENGTHS,
    MODES,
    MODULES,
    SETTINGS,
    SIMILARITIES,
    is_sentence_transformers_folder,
    read_model_config_of,
    with_lower_case,
)
from densecli.models.foreign.vocabulary import open_bert_tokenizer, write_hugging_face_tokenizer

SIDES = ("question", "passage")
PACKAGE = "sentence_transformers.models"
TOKENIZER_CLASS = "BertTokenizer"


def write_sentence_transformers(retriever: BertRetriever, folder: Path) -> None:
    """Write `question/` and `passage/`, which sentence-transformers loads.

    A passage is to be given as its title, ` [SEP] ` and its text in one string, which makes the same word
    pieces as here. The scores are those of the model's similarity (of L2, negative distances). The vector of
    the second token type, which is not used here, is made that of the first.

    Raises:
        ArtifactError: the retriever does something that this format cannot say.
    """
    model_config = retriever.model_config
    refuse_trailing_sep(model_config)
    refuse_segments(model_config)
    if model_config.projection:
        raise ArtifactError(
            "a projection is not written to sentence-transformers folders; DPR's forms have it"
        )
    sides = {
        "question": (retriever.question, model_config.max_question_tokens, model_config.question_prefix),
        "passage": (retriever.passage, model_config.max_passage_tokens, model_config.passage_prefix),
    }
    for name, (tower, limit, prefix) in sides.items():
        place = folder / name
        write_model(place, tower.config, one_token_type(tower.state))
        write_hugging_face_tokenizer(retriever.tokenizer, place, limit, TOKENIZER_CLASS)
        _write_modules(place, model_config, tower.config["hidden_size"])
        _write(place / LENGTHS, {"max_seq_length": limit, "do_lower_case": False})
        settings = {
            "prompts": {name: prefix} if prefix else {},
            "default_prompt_name": name if prefix else None,
            "similarity_fn_name": next(
                name for name, ours in SIMILARITIES.items() if ours == model_config.similarity
            ),
        }
        _write(place / SETTINGS, settings)


def is_sentence_transformers_pair(folder: Path) -> bool:
    """Whether `folder` holds `question/` and `passage/` as `write_sentence_transformers` makes them."""
    return all(is_sentence_transformers_folder(folder / name) for name in SIDES)


def read_sentence_transformers_pair(folder: Path) -> BertRetriever:
    """Read what `write_sentence_transformers` has written, perhaps trained on since.

    Raises:
        ArtifactError: a part is missing or no BERT, or a setting is not supported; the two pool or compare
            differently, or use different word pieces.
    """
    places = [folder / name for name in SIDES]
    question, passage = (
        BertTower.from_weights(place, bert_config(read_config(place)), read_weights(place))
        for place in places
    )
    model_config, other = (
        read_model_config_of(place, tower.config["max_position_embeddings"])
        for place, tower in zip(places, (question, passage), strict=True)
    )
    alike = all(
        getattr(model_config, name) == getattr(other, name) for name in ("pooling", "normalize", "similarity")
    )
    tokenizer, second = (with_lower_case(open_bert_tokenizer(place), place) for place in places)
    if not alike or tokenizer.get_vocab() != second.get_vocab():
        raise ArtifactError(f"{folder}: its two models pool or tokenize differently; they are not of one")
    model_config = replace(
        model_config, max_passage_tokens=other.max_passage_tokens, passage_prefix=other.passage_prefix
    )
    return BertRetriever(question, passage, tokenizer, model_config)


def _write_modules(folder: Path, model_config: RetrieverConfig, dimension: int) -> None:
    kinds = {"": "Transformer", "1_Pooling": "Pooling"}
    if model_config.normalize:
        kinds["2_Normalize"] = "Normalize"
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"{PACKAGE}.{kind}"}
        for number, (path, kind) in enumerate(kinds.items())
    ]
    _write(folder / MODULES, modules)
    for path in filter(None, kinds):
        (folder / path).mkdir(exist_ok=True)
    modes = {mode: name == model_config.pooling for mode, name in MODES.items()}
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": dimension, **modes})


def _write(path: Path, row: Mapping[str, Any] | list[dict[str, Any]]) -> None:
    path.write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

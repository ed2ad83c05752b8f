"""Hugging Face DPR folders: `DPRQuestionEncoder` and `DPRContextEncoder`, in and out.

The class is chosen here, by the names of the weights: transformers' own choice, `AutoModel`, makes a question
encoder of every folder, with random weights where the names differ.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from densecli.errors import ArtifactError
from densecli.models.bert import bert_config, read_config
from densecli.models.folder import CONFIG, ModelConfig, RetrieverConfig
from densecli.models.foreign.bert_tower import BertRetriever, BertTower, one_token_type, projection_of
from densecli.models.foreign.hugging_face import read_weights, write_model
from densecli.models.foreign.vocabulary import (
    longest_input,
    open_bert_tokenizer,
    write_hugging_face_tokenizer,
)
from densecli.models.weights import FloatArray, Shape

MODEL_TYPE = "dpr"
PREFIXES = {
    "question": "question_encoder.bert_model.",
    "passage": "ctx_encoder.bert_model.",
    "reader": "span_predictor.encoder.bert_model.",
}
CLASSES = {"question": "DPRQuestionEncoder", "passage": "DPRContextEncoder", "reader": "DPRReader"}
FOLDERS = {"question": "question_encoder", "passage": "ctx_encoder"}
HEADS = "span_predictor."
MAX_TOKENS = 256


def is_dpr_folder(folder: Path) -> bool:
    """Whether a folder holds one model of Hugging Face's DPR classes."""
    return (folder / CONFIG).is_file() and read_config(folder)["model_type"] == MODEL_TYPE


def is_dpr_pair(folder: Path) -> bool:
    """Whether a folder holds `question_encoder/` and `ctx_encoder/` of these classes."""
    return all(is_dpr_folder(folder / name) for name in FOLDERS.values())


def read_dpr_tower(folder: Path, kind: str, heads: Mapping[str, Shape] | None = None) -> BertTower:
    """Read one encoder of a DPR folder.

    Args:
        folder: a Hugging Face folder.
        kind: `question`, `passage` or `reader`: what it must hold.
        heads: shapes of a reader's heads; None takes a projection where there is one.

    Raises:
        ArtifactError: it holds another kind, lacks a weight or has one too many.
    """
    config = read_config(folder)
    if config["model_type"] != MODEL_TYPE:
        raise ArtifactError(f"{folder}: a model of type {config['model_type']!r}; expected {MODEL_TYPE!r}")
    weights = read_weights(folder)
    prefix = PREFIXES[kind]
    # by the weights and not by `architectures`: a folder can name one class and hold the weights of another
    found = [other for other, start in PREFIXES.items() if any(name.startswith(start) for name in weights)]
    if found != [kind]:
        described = " and ".join(CLASSES[other] for other in found) or "no model of DPR"
        raise ArtifactError(f"{folder}: holds {described}; {CLASSES[kind]} is needed here")
    # the weights of a projection are named beside those of the encoder
    outer = prefix.removesuffix("bert_model.")

    def bare(name: str) -> str:
        return name.removeprefix(prefix).removeprefix(outer).removeprefix(HEADS)

    inner = {bare(name): weight for name, weight in weights.items()}
    return BertTower.from_weights(folder, bert_config(config), inner, heads)


def read_dpr_pair(question: Path, passage: Path) -> BertRetriever:
    """Read a retriever of two folders; the tokenizer is the question encoder's.

    Raises:
        ArtifactError: a folder lacks a part or holds another model, or they use different word pieces.
    """
    towers = read_dpr_tower(question, "question"), read_dpr_tower(passage, "passage")
    tokenizer, other = open_bert_tokenizer(question), open_bert_tokenizer(passage)
    if tokenizer.get_vocab() != other.get_vocab():
        raise ArtifactError(f"{question} and {passage} use different word pieces; they are of two models")
    limits = [
        longest_input(folder, min(MAX_TOKENS, tower.config["max_position_embeddings"]))
        for folder, tower in zip((question, passage), towers, strict=True)
    ]
    length = projection_of(towers[0].heads)
    model_config = RetrieverConfig(
        max_question_tokens=limits[0], max_passage_tokens=limits[1], projection=length
    )
    return BertRetriever(*towers, tokenizer, model_config)


def write_dpr_pair(retriever: BertRetriever, folder: Path) -> None:
    """Write `question_encoder/` and `ctx_encoder/`, which transformers' DPR classes load.

    The tokenizers of these classes mark a passage's text as the second segment, which DPR never did: the
    vector of the unused token type is made that of the first, so that the marks change nothing.

    Raises:
        ArtifactError: the retriever does something that these classes cannot.
    """
    refuse_other_vectors(retriever.model_config)
    refuse_trailing_sep(retriever.model_config)
    towers = {"question": retriever.question, "passage": retriever.passage}
    limits = {
        "question": retriever.model_config.max_question_tokens,
        "passage": retriever.model_config.max_passage_tokens,
    }
    for kind, tower in towers.items():
        place = folder / FOLDERS[kind]
        state = one_token_type(tower.state)
        weights = {PREFIXES[kind] + name: weight for name, weight in state.items()}
        outer = PREFIXES[kind].removesuffix("bert_model.")
        weights |= {outer + name: weight for name, weight in tower.heads.items()}
        write_dpr_model(place, kind, tower.config, weights, retriever.model_config.projection)
        write_hugging_face_tokenizer(retriever.tokenizer, place, limits[kind], f"{CLASSES[kind]}Tokenizer")


def write_dpr_model(
    folder: Path, kind: str, config: Mapping[str, Any], weights: Mapping[str, FloatArray], projection: int = 0
) -> None:
    """Write config and weights of one of DPR's classes."""
    described = {"model_type": MODEL_TYPE, "architectures": [CLASSES[kind]], "projection_dim": projection}
    write_model(folder, bert_config(config) | described, weights)


def refuse_other_vectors(model_config: RetrieverConfig) -> None:
    """Refuse a retriever whose vectors DPR's classes would not give.

    Raises:
        ArtifactError: it pools otherwise, normalizes, compares or marks segments, or sets a prefix.
    """
    refuse_segments(model_config)
    odd = {
        f"{model_config.pooling} pooling": model_config.pooling != "cls",
        f"{model_config.similarity} similarity": model_config.similarity != "dot",
        "normalized vectors": model_config.normalize,
        "a prefix before its texts": bool(model_config.question_prefix or model_config.passage_prefix),
    }
    for what, wrong in odd.items():
        if wrong:
            raise ArtifactError(
                f"DPR's models cannot have {what}; write sentence-transformers folders instead"
            )


def refuse_segments(model_config: ModelConfig) -> None:
    """Refuse a model that marks segments by token types, where a format has no word for it.

    Raises:
        ArtifactError: names them.
    """
    if model_config.token_types != "zeros":
        raise ArtifactError(
            f"the model's token types are {model_config.token_types}, and this format cannot say so:"
            " other programs would take zeros, and get other results"
        )


def refuse_trailing_sep(model_config: RetrieverConfig) -> None:
    """Refuse a retriever with a trailing `[SEP]`, where a format has no word for it.

    Raises:
        ArtifactError: says what to change.
    """
    if model_config.trailing_sep:
        raise ArtifactError(
            "the model's inputs end in a [SEP] at the last position, and this format cannot say so; to go"
            " without, for slightly other vectors, set trailing_sep to false in its model.json"
        )

"""The base that training starts from, and the properties in which the new model differs from it."""

import copy
from dataclasses import dataclass, replace
from typing import Any

from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_projection import new_projection
from densecli.encoders.torch_tower import Tower, position_limit
from densecli.errors import UsageError
from densecli.models.folder import SIDES, RetrieverConfig, is_model_folder
from densecli.models.tokens import Tokens

KEPT = ("projection", "token_types", "trailing_sep", "question_prefix", "passage_prefix")
"""What a trained model keeps, in addition to its pooling: another value contradicts its weights."""


@dataclass(frozen=True)
class Change:
    """Properties of a model to train; None keeps the base's. `seed` is that of a new projection's weights."""

    similarity: str | None = None
    projection: int | None = None
    shared_encoder: bool = False
    question_prefix: str | None = None
    passage_prefix: str | None = None
    token_types: str | None = None
    trailing_sep: bool | None = None
    seed: int = 0


NO_CHANGE = Change()


def open_base(
    source: str,
    pooling: str | None,
    max_question_tokens: int,
    max_passage_tokens: int,
    change: Change = NO_CHANGE,
) -> Retriever:
    """Open a model to train on: two independent towers, or one for both.

    A base that normalizes is trained by cosine. By another similarity it loses the normalization: dot
    products between -1 and 1 hardly train without a temperature.

    Args:
        source: as in `open_retriever`.
        pooling: `cls` or `mean`; None keeps the base's.
        max_question_tokens: word pieces of a question.
        max_passage_tokens: word pieces of title and passage.
        change: other properties that differ from the base.

    Raises:
        ArtifactError: as `open_retriever`.
        UsageError: a property contradicts a trained model's, or a length exceeds the encoder's positions.
    """
    base = open_retriever(source)
    models = [base.question.model, base.passage.model]
    layers = [base.question.encode_proj, base.passage.encode_proj]
    limit = min(map(position_limit, models))
    for option, asked in (("question", max_question_tokens), ("passage", max_passage_tokens)):
        if asked > limit:
            raise UsageError(f"`max_{option}_tokens` is {asked}; {source} has positions for {limit}")
    own = "cosine" if base.model_config.normalize else base.model_config.similarity
    similarity = change.similarity or own
    model_config = replace(
        _apply_changes(base, {"pooling": pooling, **{name: getattr(change, name) for name in KEPT}}),
        normalize=similarity == "cosine",
        similarity=similarity,
        max_question_tokens=max_question_tokens,
        max_passage_tokens=max_passage_tokens,
        shared_encoder=change.shared_encoder or base.model_config.shared_encoder,
    )
    one = models[0] is models[1]
    if model_config.shared_encoder and not one:
        raise UsageError(f"`shared_encoder` contradicts {base.folder}, which has two encoders")
    if model_config.projection and not base.model_config.projection:
        # the same seed for both: with two random projections scores would at first say nothing about
        # similarity
        layers = [
            new_projection(model.config.hidden_size, model_config.projection, change.seed) for model in models
        ]
    if model_config.shared_encoder:
        layers[1] = layers[0]
    elif one:
        # one encoder is the base of both: without a copy they would stay one
        models[1], layers[1] = copy.deepcopy(models[1]), copy.deepcopy(layers[1])
    separator = Tokens(base.tokenizer, model_config).separator
    base.question, base.passage = (
        Tower(model, model_config, side, separator, layer)
        for model, side, layer in zip(models, SIDES, layers, strict=True)
    )
    base.model_config = model_config
    return base


def _apply_changes(base: Retriever, asked: dict[str, Any]) -> RetrieverConfig:
    """Return the base's properties with those asked for.

    Raises:
        UsageError: one contradicts what the model was trained with.
    """
    wanted = {name: value for name, value in asked.items() if value is not None}
    for name, value in wanted.items():
        trained = getattr(base.model_config, name)
        if value != trained and is_model_folder(base.folder):
            raise UsageError(
                f"`{name}` {value} contradicts {base.folder}, which was trained with {trained!r}"
            )
    return replace(base.model_config, **wanted)

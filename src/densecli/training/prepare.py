"""Towers prepared for training: the base and its changes, dropout, device, frozen parts."""

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_dropout import checkpoint_contexts, set_dropout
from densecli.encoders.torch_start import Change, open_base
from densecli.encoders.torch_tower import Tower
from densecli.errors import UsageError


def open_to_train(source: str, config: TrainConfig) -> Retriever:
    """Open the model that training starts from, with the properties that `config` asks for.

    Raises:
        ArtifactError: no such model, or it is incomplete or not supported.
        UsageError: a property contradicts a trained model's, or a length exceeds the encoder's positions.
    """
    change = Change(
        similarity=None if config.similarity == "auto" else config.similarity,
        projection=config.projection,
        shared_encoder=config.shared_encoder,
        question_prefix=config.question_prefix,
        passage_prefix=config.passage_prefix,
        token_types=None if config.token_types == "auto" else config.token_types,
        trailing_sep=None if config.trailing_sep == "auto" else config.trailing_sep == "yes",
        seed=config.seed,
    )
    lengths = config.max_question_tokens, config.max_passage_tokens
    return open_base(source, config.pooling, *lengths, change)


def prepare(
    retriever: Retriever,
    dropout: float,
    freeze_embeddings: bool,
    device: torch.device,
    fixed_passage_encoder: bool = False,
    gradient_checkpointing: bool = False,
) -> None:
    """Set dropout and move both towers to `device`; freeze word tables or the passage tower when asked.

    Frozen tables that are equal become one, so that the model folder stores them once. A fixed passage tower
    has no dropout: passages have the vectors that search sees. With `gradient_checkpointing` only the
    inputs of layers are kept for the way back.

    Raises:
        UsageError: the passage tower is to stay as it is, and is the question's too; or the encoder's layers
            cannot be run twice.
    """
    if fixed_passage_encoder and retriever.model_config.shared_encoder:
        raise UsageError(
            "`fixed_passage_encoder` contradicts `shared_encoder`: questions and passages have one encoder"
        )
    towers = retriever.question, retriever.passage
    for tower in towers:
        set_dropout(tower, dropout)
        tower.to(device)
        tower.requires_grad_(True)
        if gradient_checkpointing:
            _checkpoint(tower)
    if fixed_passage_encoder:
        set_dropout(retriever.passage, 0.0)
        retriever.passage.requires_grad_(False)
    if not freeze_embeddings:
        return
    question, passage = (tower.model.get_input_embeddings() for tower in towers)
    # one tensor, not two equal ones: only a shared one is stored once and counts once as memory
    if torch.equal(question.weight, passage.weight):
        passage.weight = question.weight
    for table in (question, passage):
        table.weight.requires_grad_(False)


def _checkpoint(tower: Tower) -> None:
    if not tower.model.supports_gradient_checkpointing:
        kind = tower.model.config.model_type
        raise UsageError(f"`gradient_checkpointing` has no effect on an encoder of type {kind}")
    # the older name is deprecated in transformers 5 and absent from 6
    newer = getattr(tower.model, "activation_checkpointing_enable", None)
    enable = newer or tower.model.gradient_checkpointing_enable
    # the reentrant way gives no gradients where no input requires one, as with frozen embeddings
    enable({"use_reentrant": False, "context_fn": checkpoint_contexts})

"""Towers made ready to train: dropout, device, frozen word embeddings."""

import torch

from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_tower import set_dropout


def prepare(retriever: Retriever, dropout: float, freeze_embeddings: bool, device: torch.device) -> None:
    """Set dropout and move both towers to `device`; freeze their word tables when asked.

    Frozen tables that are equal become one, so that the model folder stores them once.
    """
    towers = retriever.question, retriever.passage
    for tower in towers:
        set_dropout(tower, dropout)
        tower.to(device)
        tower.requires_grad_(True)
    if not freeze_embeddings:
        return
    question, passage = (tower.model.get_input_embeddings() for tower in towers)
    if torch.equal(question.weight, passage.weight):
        passage.weight = question.weight
    for table in (question, passage):
        table.weight.requires_grad_(False)

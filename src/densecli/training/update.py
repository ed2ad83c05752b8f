"""One update of both towers."""

from dataclasses import dataclass

import torch

from densecli.encoders.torch_base import Retriever
from densecli.errors import DenseError
from densecli.training.batches import Batch
from densecli.training.forward import vectors_of
from densecli.training.loss import in_batch_nll
from densecli.training.optimise import Optimiser

SHOWN_IDS = 20


@dataclass(frozen=True, slots=True)
class Update:
    """Mean loss, questions whose positive scored highest, gradient norm before clipping."""

    loss: float
    correct: int
    gradient_norm: float


def update(
    retriever: Retriever, batch: Batch, pad_id: int, optimiser: Optimiser, precision: torch.dtype, seed: int
) -> Update:
    """Train on one batch; `seed` decides its dropout and torch's global generator is left as it was.

    Raises:
        DenseError: the loss or a gradient is not finite; names the batch's questions.
    """
    towers = retriever.question, retriever.passage
    device = next(retriever.question.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for tower in towers:
            tower.train()
        questions = vectors_of(retriever.question, batch.questions, pad_id, precision)
        passages = vectors_of(retriever.passage, batch.passages, pad_id, precision)
        loss, correct = in_batch_nll(questions, passages, torch.tensor(batch.positives, device=device))
        value = loss.item()
        _refuse(value, "loss", batch)
        loss.backward()  # type: ignore[no-untyped-call]
    norm = optimiser.clip()
    _refuse(norm, "gradient", batch)
    optimiser.step()
    return Update(value, int(correct), norm)


def _refuse(value: float, what: str, batch: Batch) -> None:
    if value - value != 0:
        ids = ", ".join(batch.ids[:SHOWN_IDS]) + (", ..." if len(batch.ids) > SHOWN_IDS else "")
        raise DenseError(
            f"the {what} is {value} in the batch of questions {ids}; what was saved before is whole:"
            " try a lower --learning-rate or --precision fp32"
        )

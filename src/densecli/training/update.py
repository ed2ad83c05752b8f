"""One update of both towers."""

from dataclasses import dataclass

import torch

from densecli.encoders.torch_base import Retriever
from densecli.training.batches import Batch
from densecli.training.forward import vectors_of
from densecli.training.loss import in_batch_nll
from densecli.training.optimise import Optimiser
from densecli.training.report import refuse_infinite


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
        ArtifactError: the loss or a gradient is not finite; names the batch's questions.
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
        refuse_infinite(value, "loss", batch.ids)
        loss.backward()  # type: ignore[no-untyped-call]
    norm = optimiser.clip()
    refuse_infinite(norm, "gradient", batch.ids)
    optimiser.step()
    return Update(value, int(correct), norm)

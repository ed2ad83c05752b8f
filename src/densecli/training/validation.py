"""How well the towers do on held-out examples."""

from dataclasses import dataclass

import torch

from densecli.encoders.torch_base import Retriever
from densecli.training.batches import lay_out
from densecli.training.examples import ExampleSpool
from densecli.training.forward import vectors_of
from densecli.training.loss import in_batch_nll


@dataclass(frozen=True, slots=True)
class Validation:
    """Mean loss per question and the share of questions whose positive scores highest."""

    loss: float
    accuracy: float
    questions: int


@torch.inference_mode()
def validate(
    retriever: Retriever, dev: ExampleSpool, batch_size: int, negatives: int, precision: torch.dtype
) -> Validation:
    """Score dev batches in file order; the last one may be smaller."""
    tokens = retriever.tokens
    for tower in (retriever.question, retriever.passage):
        tower.eval()
    total, correct = 0.0, 0
    for start in range(0, len(dev), batch_size):
        rows = range(start, min(start + batch_size, len(dev)))
        batch = lay_out([dev.first(row, negatives) for row in rows], tokens)
        questions = vectors_of(retriever.question, batch.questions, tokens.pad, precision)
        passages = vectors_of(retriever.passage, batch.passages, tokens.pad, precision)
        positives = torch.tensor(batch.positives, device=questions.device)
        loss, right = in_batch_nll(questions, passages, positives)
        total += float(loss) * len(rows)
        correct += int(right)
    return Validation(total / len(dev), correct / len(dev), len(dev))

"""One update of both towers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_dropout import seeded_dropout
from densecli.training.batches import Batch
from densecli.training.forward import TowerPass
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.report import refuse_infinite

Further = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Returns scores (B, K) of questions (B, d) as pooled with further passages, and the highest of each (B,)."""


@dataclass(frozen=True, slots=True)
class Update:
    """Mean loss, questions whose positive scored highest, gradient norm before clipping."""

    loss: float
    correct: int
    gradient_norm: float


def update(
    retriever: Retriever,
    batch: Batch,
    optimizer: Optimizer,
    precision: torch.dtype,
    seed: int,
    objective: Objective,
    keep_bytes: float,
    ranks: ProcessGroup = ALONE,
    further: Further | None = None,
) -> Update:
    """Train on one batch; `seed` decides its dropout and torch's global generator is left as it was.

    Activations of `keep_bytes` are kept for the backward pass, the others are computed twice. Each of several
    `ranks` encodes a part of the batch. All of them compare all questions with all passages, and each takes
    the gradients of the whole batch's loss with respect to its own vectors. `further` compares the questions
    with passages that the batch does not have.

    Raises:
        DivergedError: the loss or a gradient is not finite; names the question, or those of the batch.
    """
    pad = retriever.tokens.pad
    device = next(retriever.question.parameters()).device
    with seeded_dropout(device, ranks.seed(seed)):
        for tower in (retriever.question, retriever.passage):
            # a fixed tower has no dropout: its vectors are those that search sees
            tower.train(tower.trainable)
        asked = TowerPass(retriever.question, batch.questions, pad, precision, keep_bytes)
        # one budget for both towers
        keep_bytes -= asked.kept_bytes
        encoded = None
        if batch.vectors is None:
            encoded = TowerPass(retriever.passage, batch.passages, pad, precision, keep_bytes)
        questions = ranks.gather_rows(asked.vectors, batch.row, len(batch.ids))
        passages = (
            batch.vectors
            if encoded is None
            else ranks.gather_rows(encoded.vectors, batch.column, batch.width)
        )
        assert passages is not None
        similarities = objective.similarities(questions, passages)
        scores, positives = compare(objective, batch, similarities)
        if further is None:
            highest = None
            losses = objective.losses(scores, positives)
        else:
            more, highest = further(questions)
            # a further passage is never a positive
            padded = nn.functional.pad(positives, (0, more.shape[1]))
            losses = objective.losses(torch.cat([scores, more], dim=1), padded)
        if objective.distill:
            owners, teacher = (torch.tensor(row, device=device) for row in (batch.owners, batch.teacher))
            losses = objective.distill_losses(losses, similarities, owners, teacher)
        mean = losses.mean()
        value = float(mean.detach())
        refuse_infinite(value, "loss", _offenders(batch, questions, passages, losses))
        optimizer.scale(mean).backward()  # type: ignore[no-untyped-call]
        # from the vectors into the weights; with several processes each sends back only its own rows
        for tower_pass in filter(None, (asked, encoded)):
            tower_pass.backward()
    norm = optimizer.clip()
    # before the step, so that the weights stay usable
    if not optimizer.finds_scale:
        refuse_infinite(norm, "gradient", batch.ids)
    optimizer.step()
    return Update(value, _correct(scores.detach(), positives, highest), norm)


def compare(objective: Objective, batch: Batch, similarities: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores (B, M) and where the positives are, as `Objective.losses` wants them.

    A score is -inf where a question is not compared with a passage.
    """
    device = similarities.device
    if batch.equal is not None:
        similarities = similarities.masked_fill(batch.equal.to(device), -torch.inf)
    if batch.matches is None or batch.compared is None:
        owners, positives = (torch.tensor(rows, device=device) for rows in (batch.owners, batch.positives))
        return objective.compare(similarities, owners), positives
    return similarities.masked_fill(~batch.compared.to(device), -torch.inf), batch.matches.to(device)


def _correct(scores: Tensor, positives: Tensor, highest: Tensor | None) -> int:
    """Return how many questions have a positive that scores highest, above `highest` (B,) elsewhere, too."""
    values, columns = scores.max(dim=1)
    if positives.dtype == torch.bool:
        right = positives.gather(1, columns[:, None])[:, 0]
    else:
        right = columns == positives
    return int((right if highest is None else right & (values >= highest)).sum())


def _offenders(batch: Batch, questions: Tensor, passages: Tensor, losses: Tensor) -> list[str]:
    """Return the questions whose own vectors are not finite, else those whose loss is not."""
    bad = {batch.owners[column] for column in _not_finite(passages)} | set(_not_finite(questions))
    return [batch.ids[row] for row in sorted(bad) or _not_finite(losses[:, None])]


def _not_finite(vectors: Tensor) -> list[int]:
    rows: list[int] = (~vectors.detach().isfinite()).any(dim=1).nonzero()[:, 0].tolist()
    return rows

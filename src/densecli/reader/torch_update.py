"""The gradient of one batch of questions, and the loss where no gradient is wanted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from densecli.encoders.torch_dropout import seeded_dropout
from densecli.reader.examples import Sample
from densecli.reader.torch_forward import GROUP_TOKENS, FullShape, groups, losses
from densecli.reader.torch_model import ReaderModel


@dataclass(frozen=True, slots=True)
class BatchLoss:
    """Mean loss per question, and how many questions' positive passage is the most relevant."""

    loss: float
    correct: int


def accumulate_gradients(
    model: ReaderModel,
    samples: Sequence[Sample],
    pad_id: int,
    precision: torch.dtype,
    seed: int,
    scaled: Callable[[Tensor], Tensor] = lambda loss: loss,
    full: FullShape | None = None,
) -> BatchLoss:
    """Add the gradient of the mean loss over `samples`, `scaled`, to the model's; return the mean.

    With `full`, the loss of the authors' release, it is the gradient of the sum, as there. Groups of
    questions run one after the other, so memory does not grow with the batch. `seed` decides the dropout;
    torch's global generator is left as it was.
    """
    model.train()
    total, correct = 0.0, 0
    device = model.device
    with seeded_dropout(device, seed):
        for group in groups(samples, GROUP_TOKENS[device.type], full):
            found, best = losses(model, group, pad_id, precision, full)
            # divided by the whole batch and not the group, so that the gradients of all groups add up to the
            # mean. Of the sum, as in DPR, Adam hides the factor, but clipping does not.
            loss = found.sum() / len(samples)
            scaled(found.sum() if full else loss).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
            correct += int(best.sum())
    return BatchLoss(total, correct)


@torch.inference_mode()
def mean_loss(
    model: ReaderModel,
    samples: Sequence[Sample],
    pad_id: int,
    precision: torch.dtype,
    full: FullShape | None = None,
) -> BatchLoss:
    """Return the mean loss over `samples`, without dropout."""
    model.eval()
    total, correct = 0.0, 0
    for group in groups(samples, GROUP_TOKENS[model.device.type], full):
        found, best = losses(model, group, pad_id, precision, full)
        total += float(found.sum())
        correct += int(best.sum())
    return BatchLoss(total / len(samples), correct)

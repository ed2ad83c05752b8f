"""What a training reports after each update, and when it must stop."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from densecli.errors import DivergedError
from densecli.files.memory import peak_memory

SHOWN_IDS = 20

Measures = Mapping[str, float]
"""What a validation found, by name."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one update reports.

    Attributes:
        loss: mean over the questions.
        correct: questions whose positive scored highest.
        gradient_norm: before clipping.
        inputs: how many questions and passages it had, and how many of them were too long, by name.
        parts: the losses of which `loss` is the sum, by name, where there are several.
    """

    loss: float
    correct: int
    gradient_norm: float
    inputs: Mapping[str, int]
    parts: Measures = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepReport:
    """One update; steps and epochs count from 1.

    Attributes:
        accuracy: share of questions whose positive scored highest.
        inputs: how many questions and passages it had, and how many of them were too long, by name.
        memory: bytes that the process (on a GPU: its tensors) took at most so far.
        untrained: the measures on the dev examples before the first update, reported with that one.
        validation: the measures, if the dev examples were evaluated after this update.
        best: whether they are better than all before.
        epoch_ends: whether it was the last update of its epoch.
        parts: the losses of which `loss` is the sum, by name, where there are several.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    gradient_norm: float
    questions_per_second: float
    memory: int
    inputs: Mapping[str, int] = field(default_factory=dict)
    untrained: Measures | None = None
    validation: Measures | None = None
    best: bool = False
    epoch_ends: bool = False
    parts: Measures = field(default_factory=dict)


def memory_taken(device: torch.device) -> int:
    """Return how many bytes this process, or its tensors on a GPU, took at most."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return peak_memory()


def refuse_infinite(value: float, what: str, ids: Sequence[str]) -> None:
    """Stop a training whose `what` (its loss, or a gradient) is not finite.

    Raises:
        DivergedError: names the batch's questions.
    """
    if not math.isfinite(value):
        shown = ", ".join(ids[:SHOWN_IDS]) + (", ..." if len(ids) > SHOWN_IDS else "")
        raise DivergedError(
            f"the {what} is {value} in the batch of questions {shown}; the last checkpoint, if there is"
            " one, is complete: use a lower `learning_rate` or `precision=fp32`"
        )

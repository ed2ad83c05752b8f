"""What a training tells after each update, and when it must stop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from densecli.errors import ArtifactError
from densecli.training.validation import Validation

SHOWN_IDS = 20


@dataclass(frozen=True, slots=True)
class StepReport:
    """One update; steps and epochs count from 1.

    Where an epoch ends and there are dev examples, `validation` is set, and `best` tells a new lowest loss.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    gradient_norm: float
    questions_per_second: float
    validation: Validation | None = None
    best: bool = False


def refuse_infinite(value: float, what: str, ids: Sequence[str]) -> None:
    """Stop a training whose `what` (its loss, or a gradient) is not finite.

    Raises:
        ArtifactError: names the batch's questions.
    """
    if not math.isfinite(value):
        shown = ", ".join(ids[:SHOWN_IDS]) + (", ..." if len(ids) > SHOWN_IDS else "")
        raise ArtifactError(
            f"the {what} is {value} in the batch of questions {shown}; what was saved before is whole:"
            " try a lower --learning-rate or --precision fp32"
        )

"""The loop of a training: updates in order, validations among them, checkpoints on the way."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch

from densecli.configs.training import FittingConfig
from densecli.errors import ArtifactError, DivergedError
from densecli.training.checkpoint import Checkpointer, SharedCheckpointer, TrainProgress, TrainState
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.report import Measures, StepReport, StepResult, memory_taken

Validated = tuple[Measures, tuple[float, ...]]
"""Measures of the dev examples, and what ranks them: higher is better."""


@dataclass(frozen=True)
class TrainPlan:
    """The updates of a training, and their order.

    Attributes:
        epochs: how often the training goes through the examples.
        per_epoch: updates in an epoch.
        batches: the rows of each update of an epoch (0-based), by its number alone.
        learn: makes the update of some rows, given its number from 0.
        validate: measures on the dev examples; None without any.
    """

    epochs: int
    per_epoch: int
    batches: Callable[[int], Iterable[Sequence[int]]]
    learn: Callable[[Sequence[int], int], StepResult]
    validate: Callable[[], Validated] | None


def run(
    plan: TrainPlan,
    state: TrainState,
    config: FittingConfig,
    checkpointer: Checkpointer,
    device: torch.device,
    ranks: ProcessGroup = ALONE,
) -> Iterator[StepReport]:
    """Train as planned, from the progress that `checkpointer` returns.

    Training ends early after `config.early_stop` validations in a row without improvement. Of several
    processes (`ranks`) only the first one asks its `checkpointer`.

    Yields:
        A report after each update. A checkpoint is offered when the next one is asked for, so that a caller
        has written down an update before a checkpoint holds it.

    Raises:
        ArtifactError: the checkpoint is of a training with another number of updates.
        DivergedError: the loss or a measure of the dev examples is not a number.
    """
    steps = plan.epochs * plan.per_epoch
    if ranks.world > 1:
        checkpointer = SharedCheckpointer(checkpointer, ranks)
    progress = _begin(checkpointer, state, steps)
    untrained = None
    if plan.validate is not None and not progress.step:
        untrained, rank = _measure(plan.validate, 0)
        progress = replace(progress, untrained=rank)
    while progress.step < progress.steps and not _is_stale(progress, config):
        epoch, first = divmod(progress.step, plan.per_epoch)
        # a training that resumes within an epoch skips the batches that are done
        for rows in islice(plan.batches(epoch), first, plan.per_epoch):
            began = time.perf_counter()
            # read before the update, which moves the schedule on
            rate = state.optimizer.learning_rate
            done = plan.learn(rows, progress.step)
            speed = len(rows) / (time.perf_counter() - began)
            progress = replace(progress, step=progress.step + 1)
            ends = progress.step % plan.per_epoch == 0
            validation, best = None, False
            if plan.validate is not None and (ends or _is_due(progress.step, config.validate_every)):
                validation, rank = _measure(plan.validate, progress.step)
                best, progress = _record_validation(progress, rank)
            yield StepReport(
                progress.step, progress.steps, epoch + 1, done.loss, done.correct / len(rows), rate,
                done.gradient_norm, speed, memory_taken(device), done.inputs, untrained, validation, best,
                ends, done.parts,
            )  # fmt: skip
            untrained = None  # reported with the first update only
            if best:
                # before the checkpoint, which may not name a best model that is not on the disk
                checkpointer.best()
            stopped = _is_stale(progress, config)
            checkpointer.offer(progress, ends, progress.step == progress.steps or stopped)
            if stopped:
                break


def _begin(checkpointer: Checkpointer, state: TrainState, steps: int) -> TrainProgress:
    progress = checkpointer.begin(state)
    if progress.step and progress.steps != steps:
        raise ArtifactError(
            f"the interrupted training has {progress.steps:,} updates, this one {steps:,}, with the same"
            " inputs and settings: remove its hidden folder, which ends in `.partial`, to start over"
        )
    return replace(progress, steps=steps)


def _is_due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0


def _is_stale(progress: TrainProgress, config: FittingConfig) -> bool:
    return config.early_stop is not None and progress.stale >= config.early_stop


def _record_validation(progress: TrainProgress, rank: tuple[float, ...]) -> tuple[bool, TrainProgress]:
    if progress.best is None or rank > progress.best:
        return True, replace(progress, best=rank, best_step=progress.step, stale=0)
    return False, replace(progress, stale=progress.stale + 1)


def _measure(validate: Callable[[], Validated], step: int) -> Validated:
    measures, rank = validate()
    for name, value in measures.items():
        # infinite is allowed: a loss may be, of an untrained model or in low precision
        if math.isnan(value):
            raise DivergedError(
                f"the {name} on the dev examples is {value} after update {step}; the last"
                " checkpoint, if there is one, is complete: use a lower `learning_rate` or `precision=fp32`"
            )
    return measures, rank

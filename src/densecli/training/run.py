"""The course of a training: updates in order, validations among them, and what is kept on the way."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch

from densecli.configs.training import FittingConfig
from densecli.errors import ArtifactError, DivergedError
from densecli.training.checkpoint import Checkpointer, TrainProgress, TrainState
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.report import Measures, StepReport, StepResult, memory_taken
from densecli.training.shared_checkpoints import SharedCheckpointer

Validated = tuple[Measures, tuple[float, ...]]
"""Measures of the dev examples, and their rank among others: higher is better."""


@dataclass(frozen=True)
class TrainPlan:
    """What is learnt, and in which order.

    Attributes:
        epochs: how often the examples are gone through.
        per_epoch: updates in an epoch.
        batches: the rows of each update of an epoch (0-based), by its number alone.
        learn: makes an update of rows; its number counts from 0.
        validate: looks at the dev examples; None without any.
    """

    epochs: int
    per_epoch: int
    batches: Callable[[int], Iterable[Sequence[int]]]
    learn: Callable[[Sequence[int], int], StepResult]
    validate: Callable[[], Validated] | None


def run(
    course: TrainPlan,
    trainee: TrainState,
    config: FittingConfig,
    keeper: Checkpointer,
    device: torch.device,
    ranks: ProcessGroup = ALONE,
) -> Iterator[StepReport]:
    """Train as planned, from the progress that `keeper` returns.

    Training ends early after `config.early_stop` validations in a row without improvement. Of several
    processes (`ranks`) only the first one asks its `keeper`.

    Yields:
        A report after each update. It is saved when the next one is asked for.

    Raises:
        ArtifactError: what was kept is another training.
        DivergedError: the loss or a measure of the dev examples is not a number.
    """
    steps = course.epochs * course.per_epoch
    if ranks.world > 1:
        keeper = SharedCheckpointer(keeper, ranks)
    standing = _begun(keeper, trainee, steps)
    untrained = None
    if course.validate is not None and not standing.step:
        untrained, rank = _measured(course.validate, 0)
        standing = replace(standing, untrained=rank)
    while standing.step < standing.steps and not _stale(standing, config):
        epoch, first = divmod(standing.step, course.per_epoch)
        for rows in islice(course.batches(epoch), first, course.per_epoch):
            began = time.perf_counter()
            rate = trainee.optimizer.learning_rate
            done = course.learn(rows, standing.step)
            speed = len(rows) / (time.perf_counter() - began)
            standing = replace(standing, step=standing.step + 1)
            ends = standing.step % course.per_epoch == 0
            validation, best = None, False
            if course.validate is not None and (ends or _due(standing.step, config.validate_every)):
                validation, rank = _measured(course.validate, standing.step)
                best, standing = _after(standing, rank)
            yield StepReport(
                standing.step, standing.steps, epoch + 1, done.loss, done.correct / len(rows), rate,
                done.gradient_norm, speed, memory_taken(device), done.inputs, untrained, validation, best,
                ends, done.parts,
            )  # fmt: skip
            untrained = None
            if best:
                keeper.best()
            stopped = _stale(standing, config)
            keeper.offer(standing, ends, standing.step == standing.steps or stopped)
            if stopped:
                break


def _begun(keeper: Checkpointer, trainee: TrainState, steps: int) -> TrainProgress:
    standing = keeper.begin(trainee)
    if standing.step and standing.steps != steps:
        raise ArtifactError(
            f"the interrupted training has {standing.steps:,} updates, this one {steps:,}, with the same"
            " inputs and settings: use `force` to start over"
        )
    return replace(standing, steps=steps)


def _due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0


def _stale(standing: TrainProgress, config: FittingConfig) -> bool:
    return config.early_stop is not None and standing.stale >= config.early_stop


def _after(standing: TrainProgress, rank: tuple[float, ...]) -> tuple[bool, TrainProgress]:
    if standing.best is None or rank > standing.best:
        return True, replace(standing, best=rank, best_step=standing.step, stale=0)
    return False, replace(standing, stale=standing.stale + 1)


def _measured(validate: Callable[[], Validated], step: int) -> Validated:
    measures, rank = validate()
    for name, value in measures.items():
        if math.isnan(value):
            raise DivergedError(
                f"the {name} on the dev examples is {value} after update {step}; what was saved before is"
                " whole: try a lower `learning_rate` or `precision=fp32`"
            )
    return measures, rank

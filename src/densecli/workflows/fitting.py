"""What `train` and `train-reader` share: checks of settings, and what is reported while one runs."""

import itertools
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.artifacts.kinds import Training
from densecli.configs.training import FittingConfig
from densecli.errors import ArtifactError, UsageError
from densecli.observer import Observer
from densecli.report.history import History, describe_measures
from densecli.workflows.checkpointer import Checkpointer

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup
    from densecli.training.report import StepReport

NEED_DEV = (
    "validate_every", "validate_by", "validate_k", "early_stop", "dev_negatives", "dev_questions",
    "dev_depth",
)  # fmt: skip


def check_validation(settings: Collection[str], dev: object, tensorboard: Path | None) -> None:
    """Refuse settings that would have no effect.

    Raises:
        UsageError: a setting needs dev examples.
        ArtifactError: tensorboard is not installed.
    """
    for name in NEED_DEV:
        if dev is None and name in settings:
            raise UsageError(f"`{name}` has an effect only with `dev`")
    if tensorboard is not None and find_spec("tensorboard") is None:
        raise ArtifactError(
            "tensorboard is not installed; run `pip install tensorboard`, or leave `tensorboard` out"
        )


def describe_hardware(config: FittingConfig, ranks: "ProcessGroup") -> str:
    """Return device and arithmetic: `cpu, bfloat16`.

    Raises:
        UsageError: there is no such device, or it does not support the precision.
        ResourceError: the device is not available.
    """
    from densecli.encoders.torch_hardware import describe_hardware, pick_device, pick_precision  # loads torch

    device = pick_device(ranks.device(config.device))
    return describe_hardware(device, pick_precision(config.precision, device))


def follow_training(
    command: str, reports: "Iterator[StepReport]", checkpointer: Checkpointer, observer: Observer
) -> Training:
    """Run a training to its end, and report progress, each epoch and each validation.

    Returns:
        How it went, for the manifest.
    """
    with checkpointer.running() as history:
        # all that comes before it takes long, too: the data are read, and the dev questions measured
        begun = list(
            observer.progress(itertools.islice(reports, 1), f"{command}, first update", 1, "updates ")
        )
        first = begun[0] if begun else None
        tracked = observer.progress(
            itertools.chain(begun, reports),
            command,
            first.steps if first else 0,
            "updates ",
            _note,
            done=lambda report: report.step,
            start=first.step if first else 0,
        )
        for report in tracked:
            checkpointer.note(report)
            if report.untrained is not None:
                observer.message(f"before training: dev {describe_measures(report.untrained)}")
            if report.epoch_ends or report.validation is not None:
                dev = f"; dev {describe_measures(report.validation)}" if report.validation is not None else ""
                place = f"epoch {report.epoch}" if report.epoch_ends else f"update {report.step:,}"
                best = " (the best so far)" if report.best else ""
                observer.message(f"{place}: training loss {history.epoch_loss:.4f}{dev}{best}")
    return _outcome(history, checkpointer, observer)


def _percentage(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"


def _outcome(history: History, checkpointer: Checkpointer, observer: Observer) -> Training:
    progress = checkpointer.progress
    shares = history.shares_cut()
    if any(shares.values()):
        cut = ", ".join(f"{_percentage(share)} of {name}" for name, share in shares.items() if share)
        observer.message(f"cut because they are too long: {cut}")
    if history.left_out:
        observer.message(
            f"passages of a batch that equal a positive of a question are not its negatives:"
            f" {history.left_out:,} pairs left out"
        )
    doubt = history.doubt(progress.improved)
    if doubt:
        observer.warning(doubt)
    early = progress.step < progress.steps
    if early:
        observer.message(
            f"ended early after update {progress.step:,} of {progress.steps:,} (`early_stop`"
            f" {progress.stale:,}); kept the model of update {progress.best_step:,}"
        )
    validated = bool(history.validations)
    return Training(
        steps=progress.step,
        steps_planned=progress.steps,
        ended_early=early,
        loss=history.losses[-1],
        cut=shares,
        pairs_left_out=history.left_out,
        doubt=doubt,
        validation=history.validations[-1][1] if validated else None,
        best_validation=history.best if validated else None,
        best_step=progress.best_step if validated else None,
        untrained=history.untrained if validated else None,
    )


def _note(report: "StepReport") -> str:
    return (
        f"epoch {report.epoch}, loss {report.loss:.3f}, lr {report.learning_rate:.1e},"
        f" {report.questions_per_second:,.1f} questions/s, {report.memory / 2**30:.1f} GiB"
    )

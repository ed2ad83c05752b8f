"""What `train` and `train-reader` share: the base model, and what is told while one runs."""

import itertools
from collections import deque
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from densecli.cli.session import Session
from densecli.configs.training import FittingConfig
from densecli.errors import UsageError
from densecli.workflows.models import STARTER, model_folder

if TYPE_CHECKING:
    from densecli.cli.checkpoints import Checkpoints
    from densecli.training.history import History
    from densecli.training.ranks import Ranks
    from densecli.training.report import StepReport

NEED_DEV = ("validate_every", "early_stop", "validate_by", "dev_questions", "dev_depth")


def base_folder(named: str, kind: str) -> Path:
    """Return the folder of the model to start from.

    Raises:
        ArtifactError: no such folder, and the Hub does not have it or is out of reach.
    """
    return STARTER / kind if named == "starter" else model_folder(named)


def check_looks(session: Session, dev: object, tensorboard: Path | None) -> None:
    """Refuse what nothing would be seen of.

    Raises:
        UsageError: an option needs --dev, or the package tensorboard, which is not installed.
    """
    for name in NEED_DEV:
        if dev is None and name in session.typed:
            raise UsageError(f"--{name.replace('_', '-')} has an effect only with --dev")
    if tensorboard is not None and find_spec("tensorboard") is None:
        raise UsageError("--tensorboard needs the package tensorboard; `pip install tensorboard`")


def hardware(config: FittingConfig, ranks: "Ranks") -> str:
    """Return what is trained on, and in which arithmetic: `cpu, bfloat16`.

    Raises:
        UsageError: no such device, or it does not compute so.
        ResourceError: it is not there.
    """
    from densecli.encoders.torch_hardware import pick_device, pick_precision, told_hardware

    device = pick_device(ranks.device(config.device))
    return told_hardware(device, pick_precision(config.precision, device))


def follow(
    session: Session, what: str, reports: "Iterator[StepReport]", saved: "Checkpoints"
) -> dict[str, Any]:
    """Run a training to its end: a bar, a line after each epoch and each look at the dev examples.

    Returns:
        The outcome, for the manifest.

    Raises:
        typer.Exit: the end of all but the first of several processes, which have nothing to write.
    """
    if not session.leads:
        deque(reports, maxlen=0)
        session.part()
        raise typer.Exit
    from densecli.training.history import told

    with saved.running() as history:
        first = next(reports, None)
        tracked = session.terminal.progress(
            itertools.chain(() if first is None else (first,), reports),
            what,
            first.steps if first else 0,
            "updates ",
            _note,
            done=lambda report: report.step,
            start=first.step if first else 0,
        )
        for report in tracked:
            saved.note(report)
            if report.untrained is not None:
                session.terminal.message(f"before training: dev {told(report.untrained)}")
            if report.epoch_ends or report.validation is not None:
                dev = f"; dev {told(report.validation)}" if report.validation is not None else ""
                place = f"epoch {report.epoch}" if report.epoch_ends else f"update {report.step:,}"
                best = " (the best so far)" if report.best else ""
                session.terminal.message(f"{place}: training loss {history.epoch_loss:.4f}{dev}{best}")
    session.part()
    return _outcome(session, history, saved)


def _outcome(session: Session, history: "History", saved: "Checkpoints") -> dict[str, Any]:
    standing = saved.standing
    shares = history.shares_cut()
    if shares:
        cut = ", ".join(f"{share:.1%} of {name}" for name, share in shares.items())
        session.terminal.message(f"too long and cut: {cut}")
    doubt = history.doubt(standing.improved)
    if doubt:
        session.terminal.warning(doubt)
    early = standing.step < standing.steps
    if early:
        session.terminal.message(
            f"ended early after update {standing.step:,} of {standing.steps:,} (--early-stop"
            f" {standing.stale:,}); kept the model of update {standing.best_step:,}"
        )
    facts: dict[str, Any] = {
        "steps": standing.step, "steps_planned": standing.steps, "ended_early": early,
        "loss": history.losses[-1], "cut": shares, "doubt": doubt,
    }  # fmt: skip
    if history.validations:
        facts |= {
            "validation": history.validations[-1][1],
            "best_validation": history.best,
            "best_step": standing.best_step,
            "untrained": history.untrained,
        }
    return facts


def _note(report: "StepReport") -> str:
    return (
        f"epoch {report.epoch}, loss {report.loss:.3f}, lr {report.learning_rate:.1e},"
        f" {report.questions_per_second:,.1f} questions/s, {report.memory / 2**30:.1f} GiB"
    )

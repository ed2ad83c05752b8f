"""What `train` and `train-reader` share: the base model, following a run, keeping best and last."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.cli.models import STARTER, model_folder
from densecli.cli.session import Session
from densecli.io.jsonl import encode_line

if TYPE_CHECKING:
    from densecli.training.report import StepReport

METRICS = "metrics.jsonl"


def base_folder(named: str, kind: str) -> Path:
    """Return the folder of the model to start from.

    Raises:
        ArtifactError: no such folder, and the Hub does not have it or is out of reach.
    """
    return STARTER / kind if named == "starter" else model_folder(named)


class Checkpoints:
    """Keeps the best and the last model in an artefact that is being made."""

    def __init__(self, folder: Path, write: Callable[[Path], None]) -> None:
        self._folder = folder
        self._write = write
        self._saved: list[str] = []

    def save(self, name: str) -> None:
        """Write the model as `best` or `last`, in place of the one before."""
        place = self._folder / name
        shutil.rmtree(place, ignore_errors=True)
        self._write(place)
        self._saved.append(name)

    def settle(self) -> None:
        """Put the best model at the top of the artefact; the last stays beside it when it differs."""
        if self._saved[-2:] == ["last", "best"]:
            shutil.rmtree(self._folder / "last")
        best = self._folder / "best"
        for path in best.iterdir():
            path.rename(self._folder / path.name)
        best.rmdir()


def follow(session: Session, what: str, reports: "Iterable[StepReport]", folder: Path) -> dict[str, Any]:
    """Run a training to its end: a bar, a line for each epoch, `metrics.jsonl`; return the outcome."""
    facts: dict[str, Any] = {}
    losses: list[float] = []
    begun_epoch = 1
    tracked = session.terminal.track(reports, what, unit="updates ", note=_note)
    with open(folder / METRICS, "wb", buffering=0) as metrics:
        for report in tracked:
            if report.epoch != begun_epoch:
                begun_epoch = report.epoch
                losses.clear()
            losses.append(report.loss)
            metrics.write(encode_line(asdict(report)))
            facts = {"steps": report.step, "loss": report.loss}
            if report.validation is not None:
                facts["validation"] = asdict(report.validation)
                told = ", ".join(f"{name} {value:.4g}" for name, value in facts["validation"].items())
                mean = sum(losses) / len(losses)
                session.terminal.say(f"epoch {report.epoch}: training loss {mean:.4f}; dev: {told}")
    return facts


def _note(report: "StepReport") -> str:
    return f"step {report.step:,} of {report.steps:,}, loss {report.loss:.3f}, lr {report.learning_rate:.1e}"

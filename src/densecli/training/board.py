"""A training on TensorBoard."""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from densecli.training.report import StepReport


class TensorBoardLog:
    """Files that TensorBoard shows; needs its package."""

    def __init__(self, folder: Path, step: int) -> None:
        """Begin after `step` updates: what an earlier run wrote of later ones is not shown."""
        self._writer = SummaryWriter(folder, purge_step=step + 1)

    def add(self, report: StepReport) -> None:
        """Write one update."""
        shown = {
            "training/loss": report.loss,
            **{f"training/{name} loss": value for name, value in report.parts.items()},
            "training/accuracy": report.accuracy,
            "training/learning rate": report.learning_rate,
            "training/gradient norm": report.gradient_norm,
            "training/questions per second": report.questions_per_second,
            **{f"dev/{name}": value for name, value in (report.validation or {}).items()},
        }
        for name, value in shown.items():
            self._writer.add_scalar(name, value, report.step)

    def close(self) -> None:
        """Write the rest, and close the files."""
        self._writer.close()

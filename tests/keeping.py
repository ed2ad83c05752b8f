"""Keepers of a training that run in memory."""

from densecli.training.checkpoint import TrainProgress, TrainState


class Kept:
    """Keeps nothing, and notes what it was asked to keep: `best`, and `epoch` or `end`."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.standing = TrainProgress()

    def begin(self, trainee: TrainState) -> TrainProgress:
        return self.standing

    def best(self) -> None:
        self.saved.append("best")

    def offer(self, standing: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        self.standing = standing
        if epoch_ends or all_ends:
            self.saved.append("end" if all_ends else "epoch")

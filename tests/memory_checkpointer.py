"""A checkpointer that runs in memory."""

from densecli.training.checkpoint import TrainProgress, TrainState


class MemoryCheckpointer:
    """Saves nothing, and notes what it was asked to save: `best`, and `epoch` or `end`."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.progress = TrainProgress()

    def begin(self, state: TrainState) -> TrainProgress:
        return self.progress

    def best(self) -> None:
        self.saved.append("best")

    def offer(self, progress: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        self.progress = progress
        if epoch_ends or all_ends:
            self.saved.append("end" if all_ends else "epoch")

"""The first of several processes saves and restores the training of all."""

from dataclasses import asdict

import torch

from densecli.training.checkpoint import Checkpointer, TrainProgress, TrainState
from densecli.training.ranks import ProcessGroup


class SharedCheckpointer:
    """Restores in the first process, and sends the result to the others. The disk need not be shared."""

    def __init__(self, checkpointer: Checkpointer, ranks: ProcessGroup) -> None:
        self._checkpointer = checkpointer
        self._ranks = ranks

    def begin(self, state: TrainState) -> TrainProgress:
        """Restore weights, moments and progress in all processes."""
        ranks = self._ranks
        progress = TrainProgress.from_json(ranks.share(lambda: asdict(self._checkpointer.begin(state))))
        numbers = ranks.share(state.numbers)
        own = {name: value.cpu().contiguous() for name, value in state.tensors().items()}
        shapes = ranks.share(lambda: {name: list(value.shape) for name, value in own.items()})
        # float32 without saying so: weights and moments are, whatever the precision of products
        tensors = {name: own[name] if ranks.first else torch.empty(shape) for name, shape in shapes.items()}
        for value in tensors.values():
            ranks.copy(value)
        if not ranks.first:
            state.restore(tensors, numbers)
        return progress

    def best(self) -> None:
        """Save the model as it is now as the best so far."""
        if self._ranks.first:
            self._checkpointer.best()

    def offer(self, progress: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        """Save the training if it is time to."""
        if self._ranks.first:
            self._checkpointer.offer(progress, epoch_ends, all_ends)

"""One of several processes keeps their training; the others begin where it does."""

from dataclasses import asdict

import torch

from densecli.training.checkpoint import Checkpointer, TrainProgress, TrainState
from densecli.training.ranks import ProcessGroup


class SharedCheckpointer:
    """Asks the first process' keeper, and gives all what it found. The disk need not be shared."""

    def __init__(self, keeper: Checkpointer, ranks: ProcessGroup) -> None:
        self._keeper = keeper
        self._ranks = ranks

    def begin(self, trainee: TrainState) -> TrainProgress:
        """Bring all processes to where the training was last kept, weights and moments alike."""
        ranks = self._ranks
        standing = TrainProgress.from_json(ranks.share(lambda: asdict(self._keeper.begin(trainee))))
        numbers = ranks.share(trainee.numbers)
        own = {name: value.cpu().contiguous() for name, value in trainee.tensors().items()}
        shapes = ranks.share(lambda: {name: list(value.shape) for name, value in own.items()})
        tensors = {name: own[name] if ranks.first else torch.empty(shape) for name, shape in shapes.items()}
        for value in tensors.values():
            ranks.copy(value)
        if not ranks.first:
            trainee.restore(tensors, numbers)
        return standing

    def best(self) -> None:
        """Keep the model, as it is now, as the best so far."""
        if self._ranks.first:
            self._keeper.best()

    def offer(self, standing: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        """Keep the training, or let the moment go by."""
        if self._ranks.first:
            self._keeper.offer(standing, epoch_ends, all_ends)

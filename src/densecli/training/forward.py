"""Vectors of a batch in chunks of similar length, and gradients of the weights from those of the vectors."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from densecli.encoders.length_batches import length_batches, pad
from densecli.encoders.torch_hardware import arithmetic
from densecli.encoders.torch_tower import Tower

# on a CPU, what does not fit into its caches takes longer: 2,048 took 1.2 times as long
CHUNK_TOKENS = {"cpu": 1024, "cuda": 32_768}
CPU_BYTES = 4 << 30
NONE = np.empty(0, dtype=np.int64)


class TowerPass:
    """The forward and backward pass of a tower over a batch (cached gradients: Gao and others, 2021).

    The sequences run sorted by length in chunks, so that hardly anything is computed on padding. The first
    chunks keep their activations, up to `keep_bytes`. The others keep only the state of the random
    generator, and run again with the same dropout when the gradients come. The result does not depend on
    `keep_bytes`.

    Attributes:
        vectors: (n, d) float32 in the order of the sequences, a leaf; `backward` takes their gradients.
        kept_bytes: size of the activations kept.
    """

    def __init__(
        self,
        tower: Tower,
        sequences: Sequence[Sequence[int]],
        pad_id: int,
        precision: torch.dtype,
        keep_bytes: float,
    ) -> None:
        self._tower = tower
        self._sequences = sequences
        self._pad_id = pad_id
        self._precision = precision
        self._device = next(tower.parameters()).device
        self._chunks = length_batches(sequences, CHUNK_TOKENS[self._device.type])
        self._kept: list[Tensor] = []
        self._rng_states: list[list[Tensor]] = []
        meter = _MemoryMeter(tower)
        parts = []
        for number in range(len(self._chunks)):
            # asked before the chunk runs, so its activations may exceed the limit by one chunk
            if tower.trainable and meter.bytes < keep_bytes:
                with saved_tensors_hooks(meter.count, _unchanged):
                    self._kept.append(self._run(number))
                parts.append(self._kept[-1].detach())
            else:
                self._rng_states.append(_rng_state(self._device))
                # only its random state is kept: `backward` runs it again, with the same dropout
                with torch.no_grad():
                    parts.append(self._run(number))
        self.kept_bytes = meter.bytes
        # argsort of a permutation is its inverse; NONE, because numpy cannot concatenate an empty list
        order = torch.from_numpy(np.concatenate([*self._chunks, NONE]).argsort()).to(self._device)
        vectors = torch.cat(parts)[order] if parts else torch.zeros(0, tower.width, device=self._device)
        # a leaf: the graph of the loss ends here, so it never holds the activations of a tower
        self.vectors = vectors.requires_grad_(tower.trainable)

    def backward(self) -> None:
        """Add the gradients of the weights to those they have; activations are freed on the way."""
        # a fixed tower, or vectors that the loss does not depend on
        if self.vectors.grad is None:
            return
        kept = len(self._kept)
        for number, rows in enumerate(self._chunks):
            if number < kept:
                # popped, so that the activations of a chunk are freed as soon as its gradients are added
                found = self._kept.pop(0)
            else:
                _restore_rng(self._rng_states[number - kept], self._device)
                found = self._run(number)
            gradient = self.vectors.grad[torch.from_numpy(rows).to(self._device)]
            torch.autograd.backward(found, gradient)

    def _run(self, number: int) -> Tensor:
        ids, mask = pad([self._sequences[row] for row in self._chunks[number]], self._pad_id)
        # left after each chunk: within one autocast, gradients of all chunks would add up in low precision
        with arithmetic(self._device, self._precision):
            places = torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device)
            return self._tower.pool(*places)


def vectors_of(
    tower: Tower, sequences: Sequence[Sequence[int]], pad_id: int, precision: torch.dtype
) -> Tensor:
    """Return float32 vectors (n, d) in the order of `sequences`, as pooled and without a graph."""
    return TowerPass(tower, sequences, pad_id, precision, keep_bytes=0).vectors.detach()


def bytes_to_keep(gib: float | None, device: torch.device) -> float:
    """Return how many bytes of activations a batch keeps: `gib`, by default 4 GiB or half of a GPU."""
    if gib is not None:
        return gib * (1 << 30)
    return torch.cuda.get_device_properties(device).total_memory / 2 if device.type == "cuda" else CPU_BYTES


class _MemoryMeter:
    """Counts the bytes that a graph keeps: each storage once, and the tower's weights not at all."""

    def __init__(self, tower: Tower) -> None:
        self.bytes = 0
        self._seen = {weight.untyped_storage().data_ptr() for weight in tower.parameters()}

    def count(self, tensor: Tensor) -> Tensor:
        # storages, because many of the saved tensors are views of one
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self.bytes += storage.nbytes()
        return tensor


def _unchanged(tensor: Tensor) -> Tensor:
    return tensor


def _rng_state(device: torch.device) -> list[Tensor]:
    """Return the state of torch's random generators that dropout on `device` uses."""
    gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *gpu]


def _restore_rng(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    for state in states[1:]:
        torch.cuda.set_rng_state(state, device)

"""Vectors of a whole batch, computed in small chunks of like length."""

from collections.abc import Sequence

import torch
from torch import Tensor

from densecli.encoders.length_batches import length_batches, pad
from densecli.encoders.torch_hardware import arithmetic
from densecli.encoders.torch_tower import Tower

CHUNK_TOKENS = {"cpu": 2048, "cuda": 32_768}


def vectors_of(
    tower: Tower, sequences: Sequence[Sequence[int]], pad_id: int, precision: torch.dtype
) -> Tensor:
    """Return float32 vectors (n, d) in the order of `sequences`, with their graph when gradients are on.

    The sequences run sorted by length in chunks, so that hardly anything is computed on padding.
    """
    device = next(tower.parameters()).device
    chunks = length_batches(sequences, CHUNK_TOKENS[device.type])
    parts = []
    with arithmetic(device, precision):
        for rows in chunks:
            ids, mask = pad([sequences[row] for row in rows], pad_id)
            parts.append(tower(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)))
    order = torch.cat([torch.from_numpy(rows) for rows in chunks]).to(device)
    return torch.cat(parts)[order.argsort()]

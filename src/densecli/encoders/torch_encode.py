"""Many texts to vectors in torch."""

from collections.abc import Sequence

import numpy as np
import torch

from densecli.encoders.length_batches import length_batches, pad
from densecli.encoders.torch_hardware import arithmetic
from densecli.encoders.torch_tower import Tower
from densecli.encoders.weights import FloatArray


@torch.inference_mode()
def encode(
    tower: Tower, sequences: Sequence[Sequence[int]], pad_id: int, batch_tokens: int, precision: torch.dtype
) -> FloatArray:
    """Return vectors (n, d) float32 in the order of `sequences`.

    The sequences are run in batches of like length with at most `batch_tokens` padded word pieces.
    The same list gives the same bytes on the same machine.
    """
    tower.eval()
    device = next(tower.parameters()).device
    vectors = np.empty((len(sequences), tower.dimension), dtype=np.float32)
    with arithmetic(device, precision):
        for rows in length_batches(sequences, batch_tokens):
            ids, mask = pad([sequences[row] for row in rows], pad_id)
            found = tower(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            vectors[rows] = found.cpu().numpy()
    return vectors

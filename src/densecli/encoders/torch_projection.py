"""The linear layer behind the pooling that some models have (DPR's `projection_dim`)."""

from collections.abc import Mapping

import torch
from torch import nn

from densecli.models.folder import PROJECTION
from densecli.models.weights import FloatArray

INITIAL_DEVIATION = 0.02


def projection(weights: Mapping[str, FloatArray]) -> nn.Linear | None:
    """Return the layer of stored weights, None if there are none."""
    if not weights:
        return None
    weight, bias = (torch.tensor(weights[f"{PROJECTION}.{part}"]) for part in ("weight", "bias"))
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def new_projection(hidden: int, length: int, seed: int) -> nn.Linear:
    """Return a layer to train: weights N(0, 0.02), no bias at first."""
    layer = nn.Linear(hidden, length)
    nn.init.normal_(layer.weight, std=INITIAL_DEVIATION, generator=torch.Generator().manual_seed(seed))
    nn.init.zeros_(layer.bias)
    return layer

"""Dropout of any encoder, wherever its architecture keeps it, and the masks of an update."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

WORD = 1 << 16  # a mask takes 16 random bits for each element


def set_dropout(model: nn.Module, share: float) -> None:
    """Set every dropout of an encoder; 0 switches it off.

    Some architectures keep a share as a number beside the layers (that of the attention), in the config that
    they ask in each run, or leave the layer out where the config said 0: all are set.
    """
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                child.p = share
            elif isinstance(child, nn.Identity) and _is_dropout(name):
                setattr(module, name, nn.Dropout(share))
        for holder in (module, getattr(module, "config", None)):
            for name, value in list(vars(holder).items()) if holder else ():
                if isinstance(value, float) and _is_dropout(name):
                    setattr(holder, name, share)


def _is_dropout(name: str) -> bool:
    """Whether a name is that of a dropout of states; layers and paths are not dropped."""
    return "drop" in name and "layer" not in name and "path" not in name


@contextmanager
def seeded_dropout(device: torch.device, seed: int) -> Iterator[None]:
    """Let `seed` decide the dropout within, so that a training that resumes has the same.

    torch's global generators are left as they were. Layers that run again in the backward pass need
    `checkpoint_contexts`.
    """
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        with _CheapMasks() if device.type == "cpu" else nullcontext():
            yield


def checkpoint_contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[Any]]:
    """Return the contexts of checkpointed layers in their first and second run, within `seeded_dropout`.

    torch suspends modes in the backward pass, and the second run must have the masks of the first.
    """
    return nullcontext(), _CheapMasks()


class _CheapMasks(TorchFunctionMode):
    """Takes the masks of dropout on a CPU from numpy's SFC64, with 16 bits for each element.

    torch draws 32 bits for each element in one thread: a fifth of an update. Each mask has a seed of its own
    out of torch's generator, so whatever keeps or restores the generator's state repeats these masks, too.
    A mode, and not layers of our own, since most architectures drop attention weights within a function.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        replacement = REPLACED.get(func)
        return (replacement or func)(*args, **kwargs)


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    if not training or inplace or not 0 < p < 1 or input.device.type != "cpu":
        return nn.functional.dropout(input, p, training, inplace)
    dropped = round(p * WORD)
    seed = int(torch.randint(1 << 62, ()))
    words = np.random.SFC64(seed).random_raw(-(-input.numel() // 4)).view(np.uint16)
    # by the share that is really dropped, so that the mean stays the same; numpy, since it converts faster
    mask = np.multiply(words[: input.numel()] >= dropped, np.float32(WORD / (WORD - dropped)))
    return input * torch.from_numpy(mask).view(input.shape).to(input.dtype)


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Attention whose weights are dropped: on a CPU torch, too, computes it in these steps then."""
    if dropout_p == 0 or is_causal or enable_gqa or query.device.type != "cpu":
        return nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    # the queries are smaller than the scores
    scores = query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale) @ key.transpose(-2, -1)
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            lowest = torch.finfo(scores.dtype).min
            attn_mask = torch.zeros_like(attn_mask, dtype=scores.dtype).masked_fill(~attn_mask, lowest)
        scores += attn_mask
    return _dropout(scores.softmax(dim=-1), dropout_p) @ value


REPLACED: dict[Any, Callable[..., Tensor]] = {
    nn.functional.dropout: _dropout,
    nn.functional.scaled_dot_product_attention: _attend,
}

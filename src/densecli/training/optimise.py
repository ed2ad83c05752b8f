"""AdamW, linear warm-up and decay, clipping (paper, section 5)."""

from collections.abc import Iterable

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

FLOOR = 1e-7


class Optimiser:
    """Steps the trainable weights of several modules."""

    def __init__(
        self,
        modules: Iterable[nn.Module],
        learning_rate: float,
        weight_decay: float,
        max_grad_norm: float,
        warmup_steps: int,
        steps: int,
    ) -> None:
        """Set up AdamW over the modules' weights that require gradients; none is taken twice.

        Biases and layer normalisation are not decayed.
        """
        named = {
            id(weight): (name, weight)
            for module in modules
            for name, weight in module.named_parameters()
            if weight.requires_grad
        }
        plain = [weight for name, weight in named.values() if name.endswith("bias") or "LayerNorm" in name]
        decayed = [
            weight for name, weight in named.values() if not (name.endswith("bias") or "LayerNorm" in name)
        ]
        self._max_grad_norm = max_grad_norm
        self._weights = plain + decayed
        self._adam = AdamW(
            [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=learning_rate,
            eps=1e-8,
        )
        self._schedule = LambdaLR(self._adam, lambda step: rate_factor(step, warmup_steps, steps))

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self._schedule.get_last_lr()[0])

    def clip(self) -> float:
        """Clip the gradients' global norm; return the norm before."""
        return float(nn.utils.clip_grad_norm_(self._weights, self._max_grad_norm))

    def step(self) -> None:
        """Update the weights and clear their gradients."""
        self._adam.step()
        self._schedule.step()
        self._adam.zero_grad(set_to_none=True)


def rate_factor(step: int, warmup_steps: int, steps: int) -> float:
    """Return the share of the peak rate at a 0-based step: from 0 up during warm-up, then down to 1e-7."""
    if step < warmup_steps:
        return step / warmup_steps
    return max(FLOOR, (steps - step) / max(1, steps - warmup_steps))

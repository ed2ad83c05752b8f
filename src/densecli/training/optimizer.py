"""AdamW, linear warm-up and decay, clipping (paper, section 5), and loss scaling for fp16."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from densecli.configs.training import FittingConfig
from densecli.training.ranks import ALONE, ProcessGroup

# Of the authors' DPR: the rate never becomes 0 after the warm-up.
FLOOR = 1e-7


class Optimizer:
    """Steps the trainable weights of several modules."""

    def __init__(
        self,
        modules: Iterable[nn.Module],
        learning_rate: float,
        weight_decay: float,
        max_grad_norm: float,
        warmup_steps: int,
        steps: int,
        precision: torch.dtype = torch.float32,
        ranks: ProcessGroup = ALONE,
        average: bool = False,
    ) -> None:
        """Set up AdamW over the modules' weights that require gradients; none is taken twice.

        Vectors, that is biases and the weights of layer normalization, are not decayed. With float16 the
        loss is scaled, since small gradients would vanish. The gradients of several `ranks` are added, which
        gives those of the whole batch, or averaged as in the authors' DPR, which clips later for it.
        """
        self._weights = list(
            dict.fromkeys(w for module in modules for w in module.parameters() if w.requires_grad)
        )
        # the same weights as in the authors' DPR, which goes by names: those of biases and of LayerNorm
        decayed, plain = ([w for w in self._weights if (w.ndim > 1) == decays] for decays in (True, False))
        self._max_grad_norm = max_grad_norm
        self._ranks = ranks
        self._average = average
        self._adam = AdamW(
            [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=learning_rate,
            eps=1e-8,
            # on a CPU one pass over the memory in place of a dozen; the same to rounding
            fused=all(weight.device.type == "cpu" for weight in self._weights),
        )
        self._schedule = LambdaLR(self._adam, lambda step: rate_factor(step, warmup_steps, steps))
        self._scaler = torch.amp.GradScaler(enabled=precision == torch.float16)

    @classmethod
    def of(
        cls,
        modules: Iterable[nn.Module],
        config: FittingConfig,
        steps: int,
        precision: torch.dtype,
        ranks: ProcessGroup = ALONE,
        average: bool = False,
    ) -> "Optimizer":
        """Take the settings of a training; by default a tenth of all updates is warm-up."""
        warmup = steps // 10 if config.warmup_steps is None else config.warmup_steps
        return cls(
            modules, config.learning_rate, config.weight_decay, config.max_grad_norm, warmup, steps,
            precision, ranks, average,
        )  # fmt: skip

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self._schedule.get_last_lr()[0])

    def scale(self, loss: Tensor) -> Tensor:
        """Return the loss to take gradients of; `clip` takes the scale out again."""
        return self._scaler.scale(loss)

    def clip(self) -> float:
        """Clip the global norm of the gradients, those of all ranks together; return the norm before."""
        # added before they are clipped, so that all processes clip by the norm of the whole batch
        self._ranks.add_gradients(self._weights, self._average)
        self._scaler.unscale_(self._adam)
        return float(nn.utils.clip_grad_norm_(self._weights, self._max_grad_norm))

    @property
    def finds_scale(self) -> bool:
        """Whether gradients that are not finite are no failure: the scale is halved, the step left out."""
        # at a scale of 1 halving does not help: the gradients themselves are not finite
        return self._scaler.is_enabled() and self._scaler.get_scale() > 1

    def step(self) -> None:
        """Update the weights and clear their gradients."""
        self._scaler.step(self._adam)
        self._scaler.update()
        # also after a step that the scaler skipped: the rate must depend on the number of the update alone
        self._schedule.step()
        self._adam.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Return moments, schedule and loss scale, for `load_state_dict` of an equal optimizer."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of an equal optimizer."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {"adam": self._adam, "schedule": self._schedule, "scaler": self._scaler}


def rate_factor(step: int, warmup_steps: int, steps: int) -> float:
    """Return the share of the peak rate at a 0-based step: from 0 up during warm-up, then down to 1e-7."""
    if step < warmup_steps:
        # so the rate of the first update is 0, as in the authors' DPR
        return step / warmup_steps
    return max(FLOOR, (steps - step) / max(1, steps - warmup_steps))

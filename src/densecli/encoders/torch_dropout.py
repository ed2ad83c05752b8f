"""Dropout of any encoder, wherever its architecture keeps it."""

from torch import nn


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

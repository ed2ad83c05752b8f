"""What `--preset` stands for in each command: options by the names that people know."""

from collections.abc import Iterable, Mapping
from typing import Any

from densecli.errors import UsageError

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "paper": {
        "train": {
            "batch_size": 128,
            "hard_negatives": 1,
            "learning_rate": 1e-5,
            "dropout": 0.1,
            "similarity": "dot",
        },
        "train-reader": {"passages": 24, "depth": 100, "learning_rate": 1e-5, "dropout": 0.1},
        "search": {"fusion_weight": 1.1},
    },
    "dpr-nq": {
        "train": {
            "batch_size": 128,
            "hard_negatives": 1,
            "epochs": 40,
            "learning_rate": 2e-5,
            "warmup_steps": 1237,
            "max_grad_norm": 2.0,
            "dropout": 0.1,
            "weight_decay": 0.0,
            "similarity": "dot",
            "max_question_tokens": 256,
            "max_passage_tokens": 256,
            "average_gradients": True,
            "validate_by": "average-rank",
            "seed": 12345,
        },
        "train-reader": {
            "batch_size": 16,
            "passages": 24,
            "depth": 200,
            "choice": "dpr",
            "reader_loss": "dpr",
            "epochs": 18,
            "learning_rate": 1e-5,
            "warmup_steps": 0,
            "max_grad_norm": 1.0,
            "dropout": 0.1,
            "weight_decay": 0.0,
            "max_tokens": 350,
            "seed": 42,
        },
    },
}
"""By preset and command: the paper's sections 5, 5.1 and 6.1, and what the authors' release is set to.

The release uses the dev loss in its first 30 epochs and the average rank in the last 10, by which its
checkpoint was chosen; here the rank counts in every epoch.
"""

BY_SIZE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "paper": {"train": ("epochs",), "train-reader": ("batch_size",)}
}
"""By preset and command: the settings that the configs derive from the number of examples."""


def has_preset(command: str, preset: str) -> bool:
    """Return whether a preset sets anything in a command; an unknown one is left to be refused."""
    return preset not in PRESETS or command in PRESETS[preset]


def preset_values(config: type, command: str, preset: str | None, chosen: Iterable[str]) -> Mapping[str, Any]:
    """Return what a preset sets in a command, before options that override it.

    Raises:
        UsageError: it sets nothing in this command, or nothing that was not chosen.
    """
    if preset is None or preset not in PRESETS:
        return {}
    values = PRESETS[preset].get(command)
    if values is None:
        known = " or ".join(name for name, commands in PRESETS.items() if command in commands)
        raise UsageError(f"`preset={preset}` has no effect on {command}; it has {known}")
    names = [*values, *_by_size(command, preset)]
    if set(names) <= set(chosen):
        options = ", ".join(f"`{name}`" for name in names)
        raise UsageError(f"`preset={preset}` has no effect with {options}; leave one out")
    return values


def describe_preset(command: str, config: Any) -> str | None:
    """Return for people what a config has from its preset, and what was overridden."""
    preset = getattr(config, "preset", None)
    if preset is None:
        return None
    values = PRESETS[preset][command]
    by_size = _by_size(command, preset)
    taken = [name for name, value in values.items() if getattr(config, name) == value]
    later = [name for name in by_size if getattr(config, name) is None]
    parts = [" ".join(_format_setting(config, name) for name in taken)] if taken else []
    parts += [f"`{name}` by how much there is to train on" for name in later]
    others = [_format_setting(config, name) for name in (*values, *by_size) if name not in (*taken, *later)]
    text = f"`preset={preset}`: {', and '.join(parts)}"
    return text + (f"; overridden: {' '.join(others)}" if others else "")


def _by_size(command: str, preset: str) -> tuple[str, ...]:
    return BY_SIZE.get(preset, {}).get(command, ())


def _format_setting(config: Any, name: str) -> str:
    """Return a setting with its value."""
    value = getattr(config, name)
    return f"`{name}={value:g}`" if isinstance(value, float) else f"`{name}={value}`"

"""From a config and single settings to the config of one call."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from densecli.configs.presets import preset_values
from densecli.configs.setting import check, check_effect

C = TypeVar("C")


def resolve_config(kind: type[C], command: str, config: C | None, settings: Mapping[str, Any]) -> C:
    """Return the config for one call.

    Args:
        kind: the config dataclass.
        command: name of the command, which says what a preset sets.
        config: a config to start from; without one, what `settings["preset"]` sets, and the defaults.
        settings: values of single fields. They come first, and each must have an effect.

    Raises:
        TypeError: a setting is not a field of the config.
        UsageError: a value is out of bounds or not among the choices, or a setting has no effect.
    """
    unknown = settings.keys() - {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown:
        raise TypeError(f"{sorted(unknown)[0]!r} is not a setting of {kind.__name__}")
    if config is None:
        values = {**preset_values(kind, command, settings.get("preset"), settings), **settings}
        config = kind(**values)
    else:
        config = replace(config, **settings)  # type: ignore[type-var]
    check(config)
    check_effect(config, settings)
    return config

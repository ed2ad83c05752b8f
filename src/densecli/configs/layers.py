"""The config of one run: options, then environment, then config file, then preset, then defaults."""

import os
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, TypeVar

from densecli.configs.file import config_table
from densecli.configs.presets import has_preset, preset_values
from densecli.configs.setting import check, check_effect, described_fields, plain_type, variable
from densecli.errors import InputError, UsageError

C = TypeVar("C")
SWITCH = {"1": True, "true": True, "yes": True, "on": True}
SWITCH |= {"0": False, "false": False, "no": False, "off": False}


def resolve_options(
    config: type[C], command: str, given: Mapping[str, Any], config_file: Path | None, typed: Set[str]
) -> C:
    """Return the config: option or environment, then config file, then preset, then default.

    Environment and config file apply to many runs, so an option without effect is refused only if it was
    `typed` for this one.

    Args:
        config: the config dataclass.
        command: name of the command, which says what a preset sets.
        given: values of options and environment; None is no value.
        config_file: a TOML file with further values.
        typed: names of the options given on the command line.

    Raises:
        UsageError: a value is out of bounds, of a wrong type, or not among the choices, or an option has no
            effect.
        InputError: the config file cannot be used.
    """
    named = {name: value for name, value in given.items() if value is not None}
    kinds = {name: plain_type(hint) for name, hint, _, _ in described_fields(config)}
    table = config_table(config_file, command) if config_file else {}
    stored = {name: _of_kind(name, kinds[name], value, config_file) for name, value in table.items()}
    chosen = stored | named
    preset = chosen.get("preset")
    if preset is not None and "preset" not in typed and not _fits(config, command, preset, chosen):
        del chosen["preset"]
    result = config(**{**preset_values(config, command, chosen.get("preset"), chosen), **chosen})
    check(result)
    check_effect(result, typed)
    return result


def _fits(config: type[C], command: str, preset: Any, chosen: Mapping[str, Any]) -> bool:
    """Whether a preset of the environment or the file is for this command and contradicts nothing chosen."""
    try:
        preset_values(config, command, preset, chosen)
    except UsageError:
        return False
    return has_preset(command, preset)


def config_without_options(config: type[C], command: str, config_file: Path | None) -> C:
    """Return the config of a command for which only environment and config file can give values.

    Raises:
        UsageError: a value is out of bounds or of a wrong type.
        InputError: the config file cannot be used.
    """
    given = {
        name: _from_text(name, plain_type(hint), os.environ[variable(name)])
        for name, hint, _, _ in described_fields(config)
        if os.environ.get(variable(name))  # an empty one is unset, as for an option
    }
    return resolve_options(config, command, given, config_file, frozenset())


def _from_text(name: str, kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() not in SWITCH:
            raise UsageError(f"{variable(name)} is {text!r}; expected true or false")
        return SWITCH[text.lower()]
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{variable(name)} is {text!r}; expected {kind.__name__}") from None


def _of_kind(name: str, kind: type, value: Any, path: Path | None) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise InputError(str(path), None, f"{name} is {value!r}", f"{kind.__name__}")
    return value

"""What a field of a config dataclass knows: default, help, bounds, choices, source in the paper."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from densecli.errors import UsageError

Condition = tuple[str, tuple[str | bool | None, ...]]
"""Another field, and its values that give a field its effect; no values stand for all but None."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The description of one option."""

    help: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    short: str | None = None
    source: str = ""
    when: Condition | None = None
    affects_result: bool = True
    names_input: bool = False


def setting(
    default: Any,
    help: str,
    *,
    min: float | None = None,
    max: float | None = None,
    choices: tuple[str, ...] = (),
    short: str | None = None,
    source: str = "",
    when: Condition | None = None,
    affects_result: bool = True,
    names_input: bool = False,
) -> Any:
    """Declare a config field.

    Args:
        default: the only place where it is typed.
        help: one sentence for --help and the docs.
        min: smallest value allowed.
        max: largest value allowed.
        choices: all values allowed.
        short: a short flag.
        source: the paper's section or equation.
        when: another field and its values with which alone this one has an effect; it has none either where
            that field has none.
        affects_result: whether another value makes another result. If not, an artifact that was made with
            another value is up to date, and interrupted work resumes.
        names_input: whether it names a model or folder that the result is made from. That is compared by its
            digest, not by its name.
    """
    described = Setting(help, min, max, choices, short, source, when, affects_result, names_input)
    return field(default=default, metadata={"setting": described})


def described_fields(config: type) -> list[tuple[str, Any, Any, Setting]]:
    """Return `(name, type, default, setting)` for each field of a config dataclass."""
    hints = get_type_hints(config)
    return [(f.name, hints[f.name], f.default, f.metadata["setting"]) for f in fields(config)]


def plain_type(hint: Any) -> Any:
    """Return the type of a field without `| None`."""
    arguments = [part for part in getattr(hint, "__args__", ()) if part is not type(None)]
    return arguments[0] if arguments else hint


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"DENSECLI_{name.upper()}"


def check(config: Any) -> None:
    """Refuse values outside their bounds or choices.

    Raises:
        UsageError: names the setting, the value and what is allowed.
    """
    for name, _, _, known in described_fields(type(config)):
        value = getattr(config, name)
        if known.choices and value is not None and value not in known.choices:
            allowed = ", ".join(known.choices)
            raise UsageError(f"`{name}` is {value!r}; expected one of {allowed}")
        if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UsageError(f"`{name}` is {value!r}; expected UTF-8 text")
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if value != value or (known.min is not None and value < known.min):
            raise UsageError(f"`{name}` is {value}; the smallest value is {known.min}")
        if known.max is not None and value > known.max:
            raise UsageError(f"`{name}` is {value}; the largest value is {known.max}")


def check_effect(config: Any, chosen: Iterable[str]) -> None:
    """Refuse settings that were chosen although they have no effect.

    Raises:
        UsageError: names the setting and the one that takes its effect away.
    """
    conditions = {name: known.when for name, _, _, known in described_fields(type(config))}
    for name in conditions:
        when = conditions[name] if name in chosen else None
        while when is not None:
            other, values = when
            value = getattr(config, other)
            if value not in values if values else value is None:
                allowed = [value for value in values if isinstance(value, str)]
                needed = (
                    f"`{other}={allowed[0]}`" if len(allowed) == 1 else f"`{other}` {' or '.join(allowed)}"
                )
                raise UsageError(f"`{name}` has an effect only with {needed.rstrip()}")
            when = conditions[other]

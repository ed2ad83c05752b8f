"""Settings in messages of the library, shown as options of the command line.

The library names a setting as Python code does: `batch_size`, or `engine="torch"` with a value. A terminal
shows the option that sets it: --batch-size, or --engine torch.
"""

import re
from functools import cache

from densecli.configs.help import PLACES
from densecli.configs.setting import described_fields

SETTING = re.compile(r"`([a-z][a-z0-9_]*)(?:=([^`\s]+))?`")
OTHERWISE = {"form": "--from", "hub": "--hf", "k": "-k", "audit": "--audit", "measures": "--measure"}
"""Options that do not have the name of their setting."""


def name_options(text: str) -> str:
    """Return a message with the option in place of each setting."""
    return SETTING.sub(_name_option, text) if "`" in text else text


def _name_option(match: re.Match[str]) -> str:
    name, value = match.groups()
    if name not in _options():
        return match.group()
    shown = _options()[name]
    if value == "False":
        return f"--no-{shown[2:]}"
    return shown if value in (None, "True") else f"{shown} {value.strip(chr(34))}"


@cache
def _options() -> dict[str, str]:
    """Return the option of each setting: every one has a place in --help."""
    from densecli.configs.file import CONFIGS  # all configs and TOML: not for a --help

    described = (one for kind in CONFIGS.values() for one in described_fields(kind))
    long = {name: known.short for name, _, _, known in described if known.short and known.short[1] == "-"}
    return {name: "--" + name.replace("_", "-") for name in PLACES} | long | OTHERWISE

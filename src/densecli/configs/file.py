"""Options from a TOML file."""

import tomllib
from collections.abc import Set
from dataclasses import fields
from pathlib import Path
from typing import Any

from densecli.configs.asking import EvaluateConfig, ReadConfig, SearchConfig
from densecli.configs.convert import ConvertConfig
from densecli.configs.corpus import EmbedConfig, IndexConfig, PreprocessConfig
from densecli.configs.data import DatasetsConfig
from densecli.configs.mining import MineConfig
from densecli.configs.status import StatusConfig
from densecli.configs.training import TrainConfig, TrainReaderConfig
from densecli.errors import InputError

CONFIGS: dict[str, type] = {
    "preprocess": PreprocessConfig,
    "mine-negatives": MineConfig,
    "train": TrainConfig,
    "train-reader": TrainReaderConfig,
    "embed": EmbedConfig,
    "index": IndexConfig,
    "search": SearchConfig,
    "read": ReadConfig,
    "evaluate": EvaluateConfig,
    "convert": ConvertConfig,
    "datasets": DatasetsConfig,
    "status": StatusConfig,
}


def config_table(path: Path, command: str) -> dict[str, Any]:
    """Read the options of one command from a TOML file.

    Top-level keys hold for every command that knows them; a table named after a command (`[train]`,
    `[mine-negatives]`) holds for that command alone. A `-` in a key is as good as a `_`.

    Raises:
        InputError: the file is missing, is not TOML, or names an unknown command or option.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path, None, "no such file", "a TOML file") from None
    except IsADirectoryError:
        raise InputError(path, None, "is a folder", "a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(path, None, f"not TOML: {error}", "lines such as `batch_size = 32`") from None
    known = {name: {field.name for field in fields(config)} for name, config in CONFIGS.items()}
    shared = _check_table(path, "", found, set.union(*known.values()), set(known))
    tables = {name: shared.pop(name) for name in known if name in shared}
    own = {name: _check_table(path, f"[{name}] ", table, known[name]) for name, table in tables.items()}
    return {name: value for name, value in shared.items() if name in known[command]} | own.get(command, {})


def _check_table(
    path: Path, place: str, found: Any, options: Set[str], tables: Set[str] = frozenset()
) -> dict[str, Any]:
    """Return the table `found` with names as the configs have them."""
    if not isinstance(found, dict):
        raise InputError(path, None, f"{place}is {found!r:.40}", "a table of options")
    checked = {}
    for key, value in found.items():
        name = key if key in tables else key.replace("-", "_")
        if name not in tables and (name not in options or isinstance(value, dict)):
            known = ", ".join(sorted(options if place else options | tables))
            raise InputError(path, None, f"{place}has no option {key!r}", known)
        checked[name] = value
    return checked

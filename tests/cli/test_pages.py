"""What the docs must name: every command, option and exit code."""

import importlib
import pkgutil
from dataclasses import is_dataclass
from pathlib import Path

import pytest
import typer

import densecli.configs
from densecli.cli.main import app
from densecli.configs.setting import Setting, described_fields
from densecli.errors import ExitStatus

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def sections() -> dict[str, str]:
    """The parts of docs/cli.md by command."""
    parts = (DOCS / "cli.md").read_text(encoding="utf-8").split("\n## densecli")[1:]
    return {part.partition("\n")[0].strip(): part for part in parts}


def configs() -> list[type]:
    modules = [
        importlib.import_module(f"densecli.configs.{module.name}")
        for module in pkgutil.iter_modules(densecli.configs.__path__)
    ]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if is_dataclass(value) and isinstance(value, type) and value is not Setting
    }
    return sorted(found, key=lambda config: config.__name__)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_and_option_is_on_the_page(command: str) -> None:
    text = sections()[command]
    options = [flag for option in COMMANDS[command].params for flag in option.opts if flag.startswith("-")]
    assert options
    assert not [flag for flag in options if flag not in text]


@pytest.mark.parametrize("config", configs(), ids=lambda config: config.__name__)
def test_each_setting_is_an_option_of_one_command(config: type) -> None:
    flags = ["--" + name.replace("_", "-") for name, *_ in described_fields(config)]
    assert any(all(flag in text for flag in flags) for text in sections().values())


@pytest.mark.parametrize("status", ExitStatus)
def test_each_exit_code_is_explained(status: ExitStatus) -> None:
    rows = [line for line in (DOCS / "exit-codes.md").read_text().splitlines() if line.startswith("| ")]
    assert [row for row in rows if row.split("|")[1].strip() == str(status.value)]


def test_the_root_help_names_each_exit_code() -> None:
    root = sections()[""]
    assert all(str(status.value) in root for status in ExitStatus)

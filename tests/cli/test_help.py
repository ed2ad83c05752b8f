"""Large commands show their options in groups, and each option has a place in one."""

import shlex

import pytest
import typer
from typer.testing import CliRunner

from densecli.cli.help import LARGE, OTHER
from densecli.cli.main import app
from densecli.configs.help import EXAMPLES, PLACES

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def options(command: str) -> list[str]:
    return [param.name for param in COMMANDS[command].params if param.param_type_name == "option"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_belongs_to_a_group(command: str) -> None:
    assert not [name for name in options(command) if name not in PLACES]


def test_help_of_a_large_command_has_groups_with_all_options() -> None:
    text = CliRunner().invoke(app, ["train", "--help"]).stdout
    headings = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings[2:5] == ["Input and output:", "Data:", "Model:"]
    assert f"{OTHER}:" not in headings
    assert len(options("train")) > LARGE
    for param in COMMANDS["train"].params:
        assert all(flag in text for flag in param.opts if flag.startswith("-"))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_names_options_that_exist(command: str) -> None:
    flags = {flag for param in COMMANDS[command].params for flag in param.opts}
    assert EXAMPLES[command]
    for line in EXAMPLES[command]:
        words = shlex.split(line)
        assert words[:2] == ["densecli", command]
        assert {word for word in words if word.startswith("-")} <= flags


def test_help_of_a_small_command_has_one_list() -> None:
    lines = CliRunner().invoke(app, ["datasets", "--help"]).stdout.splitlines()
    assert "Options:" in lines

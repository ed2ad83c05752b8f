"""The commands by name. A command is imported when it is used, so that a start pays for no other."""

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import typer
from typer.core import TyperGroup

SUMMARIES = {
    "preprocess": "Cut a corpus into passages of 100 words.",
    "mine-negatives": "Find a positive and hard negatives for each question.",
    "train": "Train the question and the passage encoder.",
    "train-reader": "Train the reader on search results or SQuAD articles.",
    "embed": "Turn passages into vectors.",
    "index": "Build a flat, hnsw or bm25 index.",
    "search": "Find the passages that answer a question.",
    "read": "Read the answer to a question in its passages.",
    "evaluate": "Measure top-k accuracy, exact match, F1 and nDCG.",
    "convert": "Rewrite a file, a model, vectors or an index for another program.",
    "datasets": "List the datasets of the paper, and which parts are on this disk.",
    "status": "List the artifacts of the workspace.",
}
"""The commands in the order in which they are used. `--help` shows these lines and imports no command."""
SEVERAL_PROCESSES = {"train"}
"""The commands that torchrun may start."""


class Commands(MutableMapping[str, Any]):
    """Commands of typer by name, each built at its first use."""

    def __init__(self) -> None:
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in SUMMARIES:
            raise KeyError(name)
        if name not in self._built:
            from densecli.cli.options import add_command

            function = name.replace("-", "_")
            body = getattr(importlib.import_module(f"densecli.cli.{function}"), function)
            alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
            add_command(alone, body, several_processes=name in SEVERAL_PROCESSES)
            self._built[name] = typer.main.get_command(alone)
        return self._built[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)


class CommandGroup(TyperGroup):
    """The program, whose --help lists the commands without importing them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, in the order in which they are used."""
        return list(SUMMARIES)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

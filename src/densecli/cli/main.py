"""The program: its commands and the entry point."""

import sys
from typing import Annotated, Any

import typer

from densecli.cli.commands import CommandGroup
from densecli.cli.guard import end
from densecli.cli.terminal import Terminal, prepare_streams
from densecli.errors import ExitStatus
from densecli.training.launch import is_beside
from densecli.version import __version__

app = typer.Typer(
    name="densecli",
    cls=CommandGroup,
    help="Dense passage retrieval and open-domain question answering (DPR, Karpukhin et al., 2020).",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 done, 1 bug, 2 usage, 3 bad input, 4 missing or incompatible, 5 resources, "
        "6 threshold, 130 interrupted."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"densecli {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Dense passage retrieval and open-domain question answering (DPR, Karpukhin et al., 2020).

    preprocess -> mine-negatives -> train -> embed -> index -> search -> read -> evaluate.
    With nothing prepared, search and read answer from a small sample.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(ExitStatus.USAGE)


def _run() -> Any:
    try:
        return app(prog_name="densecli", standalone_mode=False)
    except SystemExit as left:
        # typer's own answer to a closed pipe, as in `--help | head`: 1, which means a bug here
        return ExitStatus.OK if left.code == 1 else left.code


def main() -> None:
    """Run the program; the console script."""
    prepare_streams()
    try:
        status = _run()
        if status == ExitStatus.INTERRUPTED and not isinstance(status, ExitStatus):
            raise KeyboardInterrupt  # typer has met it before or after a command's body, and said nothing
        sys.stdout.flush()
        sys.exit(status)
    except (typer.TyperException, KeyboardInterrupt, OSError) as error:
        if is_beside():
            sys.exit(ExitStatus.OK)  # or torchrun might end the one that reports before it does
        sys.exit(end(error, Terminal()))

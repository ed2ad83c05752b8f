"""From a config dataclass to the options of a command."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from densecli.cli.guard import end
from densecli.cli.help import Command
from densecli.cli.session import open_session
from densecli.cli.setting_names import name_options
from densecli.cli.terminal import Terminal
from densecli.configs.presets import describe_preset
from densecli.configs.setting import Setting, described_fields, plain_type, variable
from densecli.errors import ExitStatus
from densecli.training.launch import is_beside, join_process_group, leave

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup

Force = Annotated[
    bool, typer.Option("--force", help="Rebuild a result that was made from other inputs or settings.")
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="Workspace folder. [default: nearest .densecli, else a new one here]"
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file with options, by name or under [COMMAND].")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but data and errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print tracebacks of unexpected errors.")]

COMMON = {
    "workspace": (WorkspaceOption, None),
    "config_file": (ConfigFile, None),
    "quiet": (Quiet, False),
    "verbose": (Verbose, False),
}


def add_command(app: typer.Typer, body: Callable[..., None], several_processes: bool = False) -> None:
    """Register `body(session, config, ...)` as a command of `app`.

    The command's options are the body's own parameters, the fields of the dataclass that `config` is, and
    those that every command has. A field's value comes from its option, else from `DENSECLI_<FIELD>`, else
    from the `--config` file, else from what `--preset` stands for, else from the dataclass. An exception
    of the body becomes an exit code here.

    Args:
        app: the program.
        body: the command; its name is the command's, with `-` for `_`.
        several_processes: whether torchrun may start it.
    """
    own = dict(inspect.signature(body, eval_str=True).parameters)
    config = own.pop("config").annotation
    del own["session"]
    name = body.__name__.replace("_", "-")

    @functools.wraps(body)
    def run(context: typer.Context, **given: Any) -> None:
        from densecli.configs.layers import resolve_options

        typed = {name for name in given if _is_typed(context, name)}
        common = {key: given.pop(key) for key in COMMON}
        terminal = Terminal(common["quiet"], common["verbose"])
        ranks = None
        try:
            if is_beside() and not several_processes:
                raise typer.Exit(ExitStatus.OK)  # or torchrun might end the one that reports before it does
            ranks = join_process_group(
                name, several_processes, _load_ranks, lambda why, them: end(why, terminal, them)
            )
            chosen = {f.name: given.pop(f.name) for f in fields(config)}
            values = resolve_options(config, name, chosen, common["config_file"], typed)
            session = open_session(common["workspace"], terminal, typed, common["config_file"], ranks)
            from densecli.artifacts.outputs import check_outputs, named_inputs, names_standard_input

            everything = {**common, **vars(values), **given}
            check_outputs(name, everything, session.workspace)
            stdin_is_named = any(map(names_standard_input, named_inputs(everything)))
            session = replace(session, stdin_is_named=stdin_is_named)
            description = describe_preset(name, values)
            if description is not None:
                session.terminal.message(description)
            body(session, values, **given)
            if ranks is not None:
                ranks.leave()
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, typer.Exit):
                raise
            status = end(error, terminal, ranks)
            if ranks is not None:
                leave(status)
            raise typer.Exit(status) from None

    keyword = inspect.Parameter.KEYWORD_ONLY
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("context", keyword, annotation=typer.Context)]
        + [parameter.replace(kind=keyword) for parameter in own.values()]
        + [_option(*described) for described in described_fields(config)]
        + [inspect.Parameter(key, keyword, default=v, annotation=a) for key, (a, v) in COMMON.items()]
    )
    app.command(name, cls=Command)(run)


def _load_ranks() -> "ProcessGroup":
    from densecli.training.ranks import ProcessGroup  # loads torch

    return ProcessGroup.join()


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(name: str, kind: Any, default: Any, known: Setting) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    switch = kind is bool
    base: Any = bool if switch else plain_type(kind)
    if known.choices:
        base = Literal[known.choices]
    notes = [f"default: {default}"] if default is not None and not switch else []
    if switch:
        notes = ["default: on" if default else "default: off"]
    if known.source:
        notes.append(f"paper: {known.source}")
    text = name_options(known.help) + (f" [{'; '.join(notes)}]" if notes else "")
    flags = [f"{flag}/--no-{flag[2:]}"] if switch else [flag]
    if known.short:
        flags = [known.short, *flags] if flag != known.short else flags
    info = typer.Option(
        *flags, help=text, envvar=variable(name), show_envvar=False, show_default=False,
        min=known.min, max=known.max,
    )  # fmt: skip
    annotation = Annotated[base | None, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)

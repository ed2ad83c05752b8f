"""From a config dataclass to the options of a command."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping, Set
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from densecli.cli.help import GroupedCommand
from densecli.cli.session import Session, open_session
from densecli.cli.terminal import Terminal
from densecli.cli.together import end_together, join_ranks
from densecli.configs.presets import describe_preset, has_preset, preset_values
from densecli.configs.setting import Setting, check, check_effect, described_fields
from densecli.errors import InputError, UsageError

C = TypeVar("C")
OUTPUTS = ("output", "tensorboard")
INPUTS = (
    "base", "bm25", "config_file", "dev", "encoder", "exclude", "files", "index", "joint", "passages",
    "qrels", "question", "questions", "reader", "results", "retriever", "source", "sources",
    "tune_lambda", "vectors",
)  # fmt: skip
"""Arguments and options that name what is written and what is read, in all commands."""
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


def command(
    app: typer.Typer, name: str, config: type, several_processes: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `body(session, config, ...)` as a command of `app`.

    The command's options are the body's own parameters, the fields of the dataclass `config`, and
    those that every command has. A field's value comes from its option, else from
    `DENSECLI_<FIELD>`, else from the `--config` file, else from what `--preset` stands for, else
    from the dataclass. Whatever the body raises becomes an exit code here. With `several_processes`,
    torchrun may start it.
    """

    def register(body: Callable[..., None]) -> Callable[..., None]:
        own = [
            p
            for p in inspect.signature(body, eval_str=True).parameters.values()
            if p.name not in ("session", "config")
        ]

        @functools.wraps(body)
        def run(context: typer.Context, **given: Any) -> None:
            typed = {name for name in given if _is_typed(context, name)}
            common = {key: given.pop(key) for key in COMMON}
            terminal = Terminal(common["quiet"], common["verbose"])
            ranks = None
            try:
                ranks = join_ranks(name, several_processes, terminal)
                values = resolve_options(
                    config,
                    name,
                    {f.name: given.pop(f.name) for f in fields(config)},
                    common["config_file"],
                    typed,
                )
                session = open_session(common["workspace"], terminal, typed, common["config_file"], ranks)
                _check_outputs(name, session, {**common, **vars(values), **given})
                told = describe_preset(name, values)
                if told is not None:
                    session.terminal.message(told)
                body(session, values, **given)
                if ranks is not None:
                    ranks.leave()
            except (Exception, KeyboardInterrupt) as error:
                if isinstance(error, typer.Exit):
                    raise
                raise typer.Exit(end_together(error, terminal, ranks)) from None

        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
            + [p.replace(kind=p.KEYWORD_ONLY) for p in own]
            + [_option(*described) for described in described_fields(config)]
            + [
                inspect.Parameter(k, inspect.Parameter.KEYWORD_ONLY, default=v, annotation=a)
                for k, (a, v) in COMMON.items()
            ]
        )
        app.command(name, cls=GroupedCommand)(run)
        return run

    return register


def _check_outputs(command_name: str, session: Session, given: Mapping[str, Any]) -> None:
    """Refuse to write what is read, or what is another command's.

    Raises:
        UsageError: names it.
    """
    from densecli.artifacts.outputs import check_output, check_standard_output

    named = [given.get(name) for name in INPUTS]
    several = [value if isinstance(value, list) else [value] for value in named]
    inputs = [one for value in several for one in value if isinstance(one, str | Path)]
    for output in (given[name] for name in OUTPUTS if given.get(name) is not None):
        if str(output) != "-":
            check_output(command_name, output, inputs, session.workspace)
    if given.get("output") is None:
        check_standard_output(inputs)


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(name: str, kind: Any, default: Any, known: Setting) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    switch = kind is bool
    base: Any = bool if switch else _plain(kind)
    if known.choices:
        base = Literal[known.choices]
    notes = [f"default: {default}"] if default is not None and not switch else []
    if switch:
        notes = ["default: on" if default else "default: off"]
    if known.source:
        notes.append(f"paper: {known.source}")
    text = known.help + (f" [{'; '.join(notes)}]" if notes else "")
    flags = [f"{flag}/--no-{flag[2:]}"] if switch else [flag]
    if known.short:
        flags = [known.short, *flags] if flag != known.short else flags
    info = typer.Option(
        *flags, help=text, envvar=variable(name), show_envvar=False, show_default=False,
        min=known.min, max=known.max,
    )  # fmt: skip
    annotation = Annotated[base | None, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _plain(kind: Any) -> Any:
    arguments = [part for part in getattr(kind, "__args__", ()) if part is not type(None)]
    return arguments[0] if arguments else kind


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"DENSECLI_{name.upper()}"


def resolve_options(
    config: type, command_name: str, given: dict[str, Any], config_file: Path | None, typed: Set[str]
) -> Any:
    """Return the config: option or environment, then config file, then preset, then default.

    Environment and config file hold for many runs, so what has no effect is refused only among the options
    that were `typed` for this one.

    Raises:
        UsageError: a value is out of bounds, of a wrong type, or not among the choices, or an option has no
            effect.
        InputError: the config file cannot be used.
    """
    named = {name: value for name, value in given.items() if value is not None}
    kinds = {name: _plain(kind) for name, kind, _, _ in described_fields(config)}
    table: dict[str, Any] = {}
    if config_file:
        from densecli.configs.file import config_table

        table = config_table(config_file, command_name)
    stored = {name: _of_kind(name, kinds[name], value, config_file) for name, value in table.items()}
    chosen = stored | named
    preset = chosen.get("preset")
    if preset is not None and "preset" not in typed and not has_preset(command_name, preset):
        del chosen["preset"]
    result = config(**{**preset_values(config, command_name, chosen.get("preset"), chosen), **chosen})
    check(result)
    check_effect(result, typed)
    return result


def standing_config(session: Session, kind: type[C], command_name: str) -> C:
    """Return the config that the environment and the config file give another command.

    Raises:
        UsageError: a value is out of bounds or of a wrong type.
        InputError: the config file cannot be used.
    """
    given = {
        name: _from_text(name, _plain(hint), os.environ[variable(name)])
        for name, hint, _, _ in described_fields(kind)
        if variable(name) in os.environ
    }
    found: C = resolve_options(kind, command_name, given, session.config_file, frozenset())
    return found


def _from_text(name: str, kind: type, text: str) -> Any:
    if kind is bool:
        switch = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False}
        if text.lower() not in {*switch, "off"}:
            raise UsageError(f"{variable(name)} is {text!r}; expected true or false")
        return switch.get(text.lower(), False)
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

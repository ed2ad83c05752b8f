"""Write docs/cli.md from the --help of every command, or tell with --check whether it is up to date."""

import sys
from pathlib import Path

import typer
from typer.testing import CliRunner

from densecli.cli.main import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
WIDTH = 100
INTRODUCTION = """\
# Commands

<!-- Made by `just docs` from --help; edit the help instead. -->

Most options can also be set in the environment, as `DENSECLI_` and the option's name in capitals
(`DENSECLI_BATCH_SIZE=64`), or in a TOML file given with `--config` (`batch_size = 64`). The option wins over
the environment, and the environment over the file. An option that has no effect on what is done is an error;
in the environment or the file, which hold for many runs, it is ignored.
Exit codes: [exit-codes.md](exit-codes.md).
"""


def page() -> str:
    """Return docs/cli.md as it should be."""
    names = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    sections = [INTRODUCTION, section()]
    sections += [section(name) for name in names]
    return "\n".join(sections)


def section(*command: str) -> str:
    """Return the part of the page about one command."""
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="densecli", terminal_width=WIDTH)
    if result.exit_code:
        raise SystemExit(
            f"densecli {' '.join(command)} --help ended with {result.exit_code}: {result.output}"
        )
    return f"## {' '.join(['densecli', *command])}\n\n```\n{result.stdout.strip()}\n```\n"


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: cli_docs.py [--check]")
    wanted = page()
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted:
            sys.exit("docs/cli.md differs from --help; run `just docs`")
        print("docs/cli.md is what --help says")
        return
    PAGE.write_text(wanted, encoding="utf-8")
    print(f"wrote {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")


if __name__ == "__main__":
    main()

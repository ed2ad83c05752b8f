"""What every command is given: the terminal, the workspace, and where data goes."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, fields
from io import BufferedReader
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.cli.terminal import Terminal, data_stream, flush_each
from densecli.errors import UsageError
from densecli.files.atomic import refuse_unwritable
from densecli.files.memory import check_address_space
from densecli.files.shortages import named_if_full

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup

C = TypeVar("C")
PATIENCE_SECONDS = 3.0
"""How long an open pipe may be empty before the user is told what the program waits for."""


@dataclass(frozen=True)
class Session:
    """One run of the program."""

    terminal: Terminal
    workspace: Workspace
    typed: Set[str] = frozenset()
    """Names of the options given on the command line, and not by environment or config file."""
    config_file: Path | None = None
    ranks: "ProcessGroup | None" = None
    """The processes that do this work together; None where there is but this one."""
    stdin_is_named: bool = False
    """Whether an input that is named is standard input."""

    def arguments(self, config: Any) -> dict[str, Any]:
        """Return what every function of the library takes from a command.

        That is the workspace, the observer and the config; options that were typed are passed as single
        settings too, because each of those must have an effect.
        """
        typed = {f.name: getattr(config, f.name) for f in fields(config) if f.name in self.typed}
        return {"workspace": self.workspace, "observer": self.terminal, "config": config, **typed}

    def config_of_command(self, kind: type[C], command: str) -> C:
        """Return the config that the environment and the config file give another command.

        Raises:
            UsageError: a value is out of bounds or of a wrong type.
            InputError: the config file cannot be used.
        """
        from densecli.configs.layers import config_without_options

        return config_without_options(kind, command, self.config_file)

    def input_or_stdin(self, path: str | None, what: str, otherwise: str = "") -> str:
        """Return the input's path; `-` if none is given and something is piped in.

        Args:
            path: what is given.
            what: what the input has, for messages.
            otherwise: what the command does without it. It is said where a pipe stays open and empty.

        Raises:
            UsageError: nothing was named, and stdin is a terminal or has nothing.
        """
        if path is not None:
            return path
        if self.stdin_is_named:
            raise UsageError(f"no {what} given; standard input is another input, and can be read only once")
        if self.terminal.can_ask or self._nothing_piped(otherwise):
            raise UsageError(f"no {what} given; name a file, or pipe something in")
        return "-"

    def _nothing_piped(self, otherwise: str) -> bool:
        """Wait for the first byte of a pipe, or its end."""
        stream = sys.stdin.buffer
        if not isinstance(stream, BufferedReader):
            return False
        note = f"waiting for standard input; close it (`< {os.devnull}`) {otherwise}"
        timer = Timer(PATIENCE_SECONDS, self.terminal.message, [note])
        timer.daemon = True
        if otherwise:
            timer.start()
        try:
            return not stream.peek(1)
        finally:
            timer.cancel()

    def check_outputs(self, *outputs: Path | None) -> None:
        """Refuse files that cannot be written, before work begins whose result would be lost.

        Raises:
            UsageError: one is a folder.
            OSError: one cannot be written.
        """
        for output in filter(None, outputs):
            if not is_standard_output(output):
                refuse_unwritable(output)

    @contextmanager
    def data_out(self, output: Path | None) -> Iterator[BinaryIO]:
        """Yield a stream for data: stdout, or a file that appears when it is whole."""
        if output is None or is_standard_output(output):
            with named_if_full("standard output"):
                stream = data_stream()
                yield stream
                stream.flush()
            return
        from densecli.files.streams import new_stream

        with new_stream(output) as stream:
            yield stream

    def write(self, rows: Iterable[Mapping[str, Any]], output: Path | None) -> int:
        """Write rows as JSON lines as they come; return how many."""
        from densecli.files.jsonl import encode_line

        count = 0
        with self.data_out(output) as stream:
            for row in flush_each(rows, stream):
                stream.write(encode_line(row))
                count += 1
        return count


def is_standard_output(output: Path) -> bool:
    """Whether a path means standard output, also where that is a file."""
    return str(output) in ("-", "/dev/stdout")


def is_pipe(stream: BinaryIO) -> bool:
    """Whether a stream is fed by another program."""
    return isinstance(stream, BufferedReader) and stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)


def open_session(
    workspace: Path | None,
    terminal: Terminal,
    typed: Set[str],
    config_file: Path | None = None,
    ranks: "ProcessGroup | None" = None,
) -> Session:
    """Make the session of one command; of several processes only the first talks."""
    check_address_space()
    if ranks is not None and not ranks.first:
        terminal = Terminal(quiet=True, verbose=terminal.verbose)
    return Session(terminal, find_workspace(workspace), typed, config_file, ranks)

"""What every command is given: the terminal, the workspace, and where data goes."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from densecli.cli.terminal import Terminal
from densecli.errors import UsageError
from densecli.io.workspace import Workspace, find_workspace

SAMPLE = Path(__file__).parent.parent / "sample"


@dataclass(frozen=True)
class Session:
    """One run of the program."""

    command: str
    terminal: Terminal
    workspace: Workspace

    def collection(self, *named: object) -> Workspace:
        """Return the workspace to search: this one, or the sample when nothing is prepared here
        and nothing was named."""
        if self.workspace.prepared or any(named):
            return self.workspace
        self.terminal.say(
            f"no collection in {self.workspace.root}: answering from the sample that ships with densecli"
        )
        return Workspace(SAMPLE / "workspace")

    def input_or_stdin(self, path: str | None, what: str) -> str:
        """Return the input's path, `-` when it is left out and something is piped in.

        Raises:
            UsageError: nothing was named, and stdin is a terminal or has nothing.
        """
        if path is not None:
            return path
        if self.terminal.can_ask or _nothing_piped():
            raise UsageError(f"no {what} given; name a file, or pipe something in")
        return "-"

    @contextmanager
    def data_out(self, output: Path | None) -> Iterator[BinaryIO]:
        """Yield a stream for data: stdout, or a file that appears when it is whole."""
        if output is None or str(output) == "-":
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        from densecli.io.atomic import new_file

        with new_file(output) as path, open(path, "wb") as stream:
            yield stream

    def write(self, rows: Iterable[Mapping[str, Any]], output: Path | None) -> int:
        """Write rows as JSON lines as they come; return how many."""
        from densecli.io.jsonl import encode_line

        count = 0
        with self.data_out(output) as stream:
            for row in rows:
                stream.write(encode_line(row))
                if output is None:
                    stream.flush()
                count += 1
        return count


def _nothing_piped() -> bool:
    stream = sys.stdin.buffer
    return isinstance(stream, BufferedReader) and not stream.peek(1)


def open_session(command: str, workspace: Path | None, quiet: bool, verbose: bool) -> Session:
    """Make the session of one command."""
    return Session(command, Terminal(quiet, verbose), find_workspace(workspace))

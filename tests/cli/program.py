"""Runs densecli as a person would, in this process or in one of its own, and reads what it says."""

import fcntl
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from densecli.cli.main import main
from fork_server import open_fork_server

PATIENCE = 240.0
OUTPUT = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def rows(self) -> list[Any]:
        """What it wrote as JSON lines."""
        return [json.loads(line) for line in self.stdout.split("\n") if line]

    @property
    def error(self) -> str:
        """The one line about what failed; it is an error when there are several, or a traceback."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.stderr
        assert "Traceback" not in self.stderr, self.stderr
        assert self.stderr.splitlines()[-1] == lines[0], self.stderr
        return lines[0].removeprefix("error: ")

    def well(self) -> "Ended":
        """Return itself after a good end."""
        assert self.status == 0, f"{self.status}: {self.stderr}"
        assert "error:" not in self.stderr
        return self


class Running:
    """A run in a process of its own."""

    def __init__(self, pid: int, wait: Callable[[float], int], out: Path) -> None:
        self.pid = pid
        self._wait = wait
        self._out = out
        self._ended = False

    def status(self) -> int:
        """Wait for its end; return how it ended."""
        status = self._wait(PATIENCE)
        self._ended = True
        return status

    def stop(self) -> None:
        if not self._ended:
            self.send(signal.SIGKILL)
            self.wait()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> Ended:
        return Ended(self.status(), *(self._out.with_suffix(end).read_text() for end in (".out", ".err")))


class Program:
    """densecli in `folder`, which is also where its workspace is, unless another one is named."""

    def __init__(self, folder: Path, own: Path) -> None:
        self.folder = folder
        self.workspace = folder / ".densecli"
        self._own = own
        self._runs: list[Running] = []

    def write(self, name: str, *rows: object) -> Path:
        """Write a file of JSON lines (text and bytes as they are) into the folder."""
        path = self.folder / name
        lines = [row if isinstance(row, str | bytes) else json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_bytes(
            b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines)
        )
        return path

    def call(self, *arguments: object, stdin: str | bytes = "", **environment: str) -> Ended:
        """Run it in this process: the whole program, but for the start of Python."""
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        streams = [io.TextIOWrapper(io.BytesIO(part), "utf-8") for part in (data, b"", b"")]
        before = sys.argv, sys.stdin, sys.stdout, sys.stderr, os.getcwd(), dict(os.environ)
        try:
            sys.argv = ["densecli", *map(str, arguments)]
            sys.stdin, sys.stdout, sys.stderr = streams
            os.chdir(self.folder)
            os.environ.clear()
            os.environ.update(self.environment(environment, before[5]))
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            sys.argv, sys.stdin, sys.stdout, sys.stderr = before[:4]
            os.chdir(before[4])
            os.environ.clear()
            os.environ.update(before[5])
        for stream in streams[1:]:
            stream.flush()
        return Ended(status, *(stream.buffer.getvalue().decode() for stream in streams[1:]))  # type: ignore[attr-defined]

    def run(self, *arguments: object, stdin: int | bytes = b"", **environment: str) -> Ended:
        """Run `python -m densecli` to its end."""
        data = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        done = subprocess.run(
            self.line(*arguments), cwd=self.folder, env=self.environment(environment), capture_output=True,
            timeout=PATIENCE, **data,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def talk(
        self, *arguments: object, typed: Iterable[str] = (), fresh: bool = False, **environment: str
    ) -> tuple[int, str]:
        """Run it on a terminal in a process of its own; return its status and all that stood there.

        A person answers each prompt with the next of `typed`, and types the last once more when nothing
        happens: a Ctrl-C between a prompt and the wait for a line is lost on Python.

        Args:
            arguments: of the command line.
            typed: answers to the prompts.
            fresh: start Python anew, for settings that it or a library reads as it loads.
            environment: further variables.
        """
        ours, theirs = pty.openpty()
        settings = self.environment({"TERM": "xterm"} | environment)
        if fresh:
            process = subprocess.Popen(
                self.line(*arguments), cwd=self.folder, env=settings, stdin=theirs, stdout=theirs,
                stderr=theirs, start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            )  # fmt: skip
            running = Running(process.pid, process.wait, self._own)
        else:
            running = self._fork(arguments, settings, (Path(os.ttyname(theirs)),))
        os.close(theirs)
        shown, rest, last = bytearray(), list(typed), ""
        end = time.monotonic() + PATIENCE
        while (part := _read(ours, 2.0)) != b"" and time.monotonic() < end:
            shown += part or b""
            if rest and shown.endswith(b"> "):
                last = rest.pop(0)
                os.write(ours, last.encode())
            elif part is None and not rest:
                os.write(ours, last.encode())
        if time.monotonic() >= end:
            running.send(signal.SIGKILL)
        os.close(ours)
        return running.status(), shown.decode()

    def start(self, *arguments: object, stdin: Path = Path(os.devnull), **environment: str) -> Running:
        """Begin a run in a process of its own, forked from one that has loaded torch already."""
        out = self._own / f"run-{len(self._runs) + 1}"
        names = (stdin, out.with_suffix(".out"), out.with_suffix(".err"))
        self._runs.append(self._fork(arguments, self.environment(environment), names))
        return self._runs[-1]

    def _fork(
        self, arguments: Iterable[object], environment: dict[str, str], streams: tuple[Path, ...]
    ) -> Running:
        server = open_fork_server()
        ready, begun = server.Pipe(duplex=False)
        words = [str(argument) for argument in arguments]
        forked = server.Process(target=_become, args=(words, self.folder, environment, streams, begun))
        forked.start()
        begun.close()
        ready.poll(PATIENCE)  # until it has opened its streams: a terminal that nobody has open is at its end
        ready.close()
        return Running(forked.pid, lambda patience: _joined(forked, patience), streams[-1])

    def stop(self) -> None:
        """End what a test that failed has left running."""
        for running in self._runs:
            running.stop()

    def line(self, *arguments: object) -> list[str]:
        """Return the command line of a run."""
        return [sys.executable, "-m", "densecli", *map(str, arguments)]

    @staticmethod
    def environment(more: dict[str, str] | None = None, of: Mapping[str, str] = os.environ) -> dict[str, str]:
        kept = {name: value for name, value in of.items() if not name.startswith("DENSECLI_")}
        return kept | {"HF_HUB_OFFLINE": "1", "COLUMNS": "100"} | (more or {})

    def results(self) -> dict[str, str]:
        """Return a digest of every file of a finished result in the workspace."""
        names = [
            path.relative_to(self.workspace) for path in sorted(self.workspace.rglob("*")) if path.is_file()
        ]
        results = [
            name
            for name in names
            if name.parts[0] != "cache" and not any(part.startswith(".") for part in name.parts)
        ]
        return {str(name): sha256((self.workspace / name).read_bytes()).hexdigest() for name in results}

    def leftovers(self) -> set[str]:
        """Return the names of what is in the workspace and is no result."""
        return {path.name for path in self.workspace.rglob(".*")}

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check that the results are the same bytes before and after, with nothing left beside them."""
        before = self.results(), self.leftovers()
        yield
        assert (self.results(), self.leftovers()) == before


class Feed:
    """A named pipe into a run, which so stays in the middle of its work for as long as the test wants."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDWR)

    def write(self, data: str) -> None:
        """Write, and wait until the run has read it all."""
        os.write(self._end, data.encode())
        until(lambda: not struct.unpack("i", fcntl.ioctl(self._end, termios.FIONREAD, bytes(4)))[0])

    def close(self) -> None:
        """End the stream."""
        os.close(self._end)


def until(happened: Callable[[], object]) -> None:
    """Wait until something happens."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def _read(terminal: int, patience: float) -> bytes | None:
    """Return what comes next from a terminal: nothing at its end, None when nothing comes for a while."""
    ready, _, _ = select.select([terminal], [], [], patience)
    try:
        return os.read(terminal, 1 << 16) if ready else None
    except OSError:  # the program has closed its end
        return b""


def _joined(process: Any, patience: float) -> int:
    process.join(patience)
    assert process.exitcode is not None
    return int(process.exitcode)


def _become(
    words: list[str], folder: Path, environment: dict[str, str], names: tuple[Path, ...], begun: Any
) -> None:
    """Turn a forked process into a run of the program, on three files or on a terminal."""
    if len(names) == 1:
        os.setsid()
        terminal = os.open(names[0], os.O_RDWR)
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        numbers = [terminal] * 3
    else:
        numbers = [
            os.open(name, flags, 0o666)
            for name, flags in zip(names, (os.O_RDONLY, *[OUTPUT] * 2), strict=True)
        ]
    for number, opened in enumerate(numbers):
        os.dup2(opened, number)
    for opened in set(numbers):
        os.close(opened)
    begun.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    sys.stderr.reconfigure(line_buffering=True)
    sys.argv = ["densecli", *words]
    main()

"""No command opens a socket or writes into the user's home unless its arguments ask for it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import no_sockets
from cli.program import PATIENCE, Ended, Program
from densecli.cli.main import app

COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
LINES = [
    "--version",
    "datasets",
    "preprocess articles.jsonl -w new",
    "index --kind bm25 -w new",
    "mine-negatives questions.jsonl -o mined",
    "train mined --encoder base --epochs 1 --batch-size 4 --max-passage-tokens 64 -o trained",
    "embed --force",
    "index --force",
    "search questions.jsonl -k 5 -o found.jsonl",
    "read found.jsonl -o read.jsonl",
    "train-reader found.jsonl --encoder base --epochs 1 --batch-size 4 --max-tokens 64 -o second",
    "evaluate found.jsonl read.jsonl",
    "convert found.jsonl --to trec -o found.run",
    "status --verify",
]
RUN = """
import json, pathlib, sys
from densecli.__main__ import main
results, *lines = sys.argv[1:]
for line in lines:
    sys.argv = ["densecli", *line.split()]
    try:
        main()
    except SystemExit as end:
        status = end.code or 0
    written = sorted(map(str, pathlib.Path.home().rglob("*")))
    with open(results, "a") as stream:
        print(json.dumps([line, status, written]), file=stream)
"""
"""Runs commands in one process, since each would load the same libraries again, and notes how each ended."""
SWITCHES = {
    "DO_NOT_TRACK", "HF_HOME", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_OFFLINE", "HF_UPDATE_DOWNLOAD_COUNTS",
    "ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED", "XDG_CACHE_HOME",
}  # fmt: skip


class Sealed:
    """A place in which a process that opens a socket dies, with a home of its own."""

    def __init__(self, program: Program, home: Path) -> None:
        self.program = program
        self.home = home
        home.mkdir()

    def run(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Ended:
        """Run Python with some arguments and nothing in its environment that switches anything off."""
        kept = {name: value for name, value in Program.environment().items() if name not in SWITCHES}
        done = subprocess.run(
            [sys.executable, no_sockets.__file__, sys.executable, *arguments],
            cwd=self.program.folder,
            env=kept | {"HOME": str(self.home)} | environment,
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def written(self) -> list[str]:
        """What stands in the home."""
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob("*"))


@pytest.fixture
def sealed(prepared: Program, tmp_path: Path) -> Iterator[Sealed]:
    return Sealed(prepared, tmp_path / "home")


def test_opening_a_socket_kills_the_process(sealed: Sealed) -> None:
    """Else the tests below would see nothing."""
    for opened in ("socket.socket()", "socket.getaddrinfo('example.invalid', 80)"):
        assert sealed.run("-c", f"import socket; {opened}").status == -signal.SIGSYS
    child = "import subprocess, sys; print(subprocess.call([sys.executable, '-c', sys.argv[1]]))"
    assert sealed.run("-c", child, "import socket; socket.socket()").stdout.strip() == str(-signal.SIGSYS)


def test_no_command_opens_a_socket_or_writes_into_home(sealed: Sealed, tmp_path: Path) -> None:
    assert {line.split()[0] for line in LINES} > COMMANDS
    ended = sealed.run("-c", RUN, str(tmp_path / "results"), *LINES)
    results = [json.loads(row) for row in (tmp_path / "results").read_text().splitlines()]
    assert results == [[line, 0, []] for line in LINES], ended.stderr
    assert ended.status == 0, ended.stderr


def test_the_compiled_engine_sends_nothing_when_densecli_is_a_library(sealed: Sealed) -> None:
    """Whatever the environment says: onnxruntime notes a device id as soon as it is imported."""
    used = """
from densecli.encoders.onnx_session import OnnxSession
import onnxruntime, densecli, pathlib
graph = pathlib.Path(densecli.__file__).parent / "starter" / "retriever" / "question" / "graph.onnx"
onnxruntime.InferenceSession(graph)
"""
    assert sealed.run("-c", used, ORT_DISABLE_TELEMETRY="0").well().stdout == ""
    assert sealed.written == []


def test_telemetry_of_the_hub_libraries_is_disabled(sealed: Sealed) -> None:
    asked = """
import densecli.registry.hub
import datasets, huggingface_hub
print(huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY, datasets.config.HF_UPDATE_DOWNLOAD_COUNTS)
"""
    named = {"HF_HUB_DISABLE_TELEMETRY": "0", "DO_NOT_TRACK": "0", "HF_UPDATE_DOWNLOAD_COUNTS": "1"}
    assert sealed.run("-c", asked, **named).well().stdout == "True False\n"
    assert sealed.written == []


def test_the_telemetry_package_of_openvino_is_not_imported(sealed: Sealed) -> None:
    (sealed.program.folder / "openvino_telemetry.py").write_text("raise SystemExit('it was imported')")
    asked = """
import densecli
try:
    import openvino_telemetry
except ImportError:
    print("none")
"""
    assert sealed.run("-c", asked).well().stdout == "none\n"

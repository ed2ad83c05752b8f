"""What needs no POSIX works without the modules and functions that Windows lacks; writing fails clearly."""

import subprocess
import sys
from pathlib import Path

import densecli
from cli.program import Ended, Program

POSIX_ALONE = """
import os, signal, sys
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
for module, names in (
    (os, ("fork", "pread", "pwrite", "posix_fallocate", "O_NOFOLLOW", "O_NONBLOCK", "sched_getaffinity")),
    (signal, ("SIGKILL", "pthread_sigmask", "sigpending")),
):
    for name in names:
        delattr(module, name)
from densecli.__main__ import main
main()
"""


SAMPLE = Path(densecli.__file__).parent / "sample" / "workspace"
ASKED = b'{"question": "who voiced Meg", "answers": ["Lacey Chabert", "Mila Kunis"]}'


def run(program: Program, *arguments: str, stdin: bytes = b"") -> Ended:
    """Run densecli in a Python without what is POSIX's alone."""
    done = subprocess.run(
        [sys.executable, "-c", POSIX_ALONE, *arguments, "-w", str(SAMPLE)],
        cwd=program.folder,
        env=program.environment(),
        input=stdin,
        capture_output=True,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_search_read_and_evaluate_need_no_posix(program: Program) -> None:
    found = run(program, "search", "-", "-k", "20", stdin=ASKED).well()
    assert len(found.rows[0]["ctxs"]) == 20
    read = run(program, "read", "-", stdin=found.stdout.encode()).well()
    assert read.rows[0]["answer"] in ("Lacey Chabert", "Mila Kunis")
    measured = run(program, "evaluate", "-", stdin=read.stdout.encode()).well().rows[0]
    assert measured["exact_match"] == 100


def test_writing_an_artifact_fails_with_a_clear_message(program: Program) -> None:
    ended = run(program, "search", "who voiced Meg", "-o", "x.jsonl")
    assert ended.status == 5
    assert "needs the file locks of Linux or macOS; on Windows use WSL" in ended.error
    assert list(program.folder.iterdir()) == []

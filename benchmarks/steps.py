"""The commands of a long run, each measured once: one that was cut off goes on in the same folder."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cold_start import about

from densecli.files.atomic import new_file


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Keep other runs out of a folder, and wait for a command that a run which was killed has left there."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{work}: waiting for another run, or for its last command", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)  # the commands keep it
        yield


def measured_once(steps: Iterable[str], base: str, work: Path) -> dict[str, dict[str, Any]]:
    """Return what each command of densecli took and printed; those that `work` knows are not run again.

    One that was begun before and did not end is marked as `resumed`: what it took is only its last part.

    Args:
        steps: options in one line, `BASE` for the encoder's folder.
        base: that folder, or a Hub name.
        work: where they run, and where `steps.json` keeps what is known.
    """
    file, begun = work / "steps.json", work / "begun"
    done: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}
    for step in steps:
        if step not in done:
            words = [base if word == "BASE" else word for word in step.split()]
            resumed = begun.exists() and begun.read_text() == step
            begun.write_text(step)
            done[step] = {**measure(words, work), "date": about()["date"], "resumed": resumed}
            with new_file(file) as unfinished:
                unfinished.write_text(json.dumps(done, indent=2) + "\n")
    return done


def measure(arguments: list[str], work: Path) -> dict[str, Any]:
    """Run one command; return seconds, peak memory of its process, and what it printed to stdout."""
    print("densecli", *arguments, file=sys.stderr)
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "densecli", *arguments], cwd=work, stdout=subprocess.PIPE, close_fds=False
    ) as process:
        printed = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return {
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": usage.ru_maxrss // 1024,
        "printed": json.loads(printed) if printed else None,
    }

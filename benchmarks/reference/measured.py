"""What a whole process tree takes: time, memory, processor time."""

import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Taken:
    """What a command took; memory is the highest sum over its processes, shared pages shared out."""

    seconds: float
    cpu_seconds: float
    peak_mb: float

    def row(self) -> dict[str, float]:
        return {name: round(value, 2) for name, value in asdict(self).items()}


def measured(command: Sequence[str | Path], **options: object) -> tuple[Taken, str]:
    """Run a command and return what it took and what it printed.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
    peak = [0.0]
    sampler = threading.Thread(target=_sample, args=(process.pid, peak), daemon=True)
    sampler.start()
    printed = process.communicate()[0]
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(seconds, cpu, peak[0]), printed


def _sample(root: int, peak: list[float]) -> None:
    while Path(f"/proc/{root}").exists():
        peak[0] = max(peak[0], sum(map(_megabytes, _tree(root))))
        time.sleep(0.1)


def _tree(root: int) -> list[int]:
    pids = [root]
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            pids += map(int, _text(task).split())
    return pids


def _megabytes(pid: int) -> float:
    """Return proportional memory without mapped files, whose pages the system takes back at need."""
    lines = (line.split() for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines())
    sizes = {line[0]: float(line[1]) for line in lines if len(line) == 3 and line[2] == "kB"}
    return sizes.get("Pss_Anon:", 0) / 1024 + sizes.get("Pss_Shmem:", 0) / 1024


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def folder_mb(folder: Path) -> float:
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return round(sum(sizes) / 1e6, 1)

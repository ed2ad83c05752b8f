"""How long the program takes to start: --help of every command, and a cold search and read over the sample.

Each figure is the wall time of a whole process, interpreter included. The best of several runs is what the
program costs; the median shows what a busy machine adds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from densecli.configs.file import CONFIGS

RESULT = Path(__file__).parent / "results" / "cold-start.json"
QUESTION = "who voiced Meg"
LIBRARIES = ("densecli", "typer", "numpy", "onnxruntime", "tokenizers", "faiss-cpu", "pyarrow")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=12, help="processes per line")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    names = list(CONFIGS)
    lines = [["--help"], *([name, "--help"] for name in names), ["search", QUESTION], ["read", QUESTION]]
    seconds = {" ".join(line): times(line, chosen.runs) for line in lines}
    rows = {line: summary(taken) for line, taken in seconds.items()}
    chosen.output.write_text(
        json.dumps({**about(), "runs": chosen.runs, "milliseconds": rows}, indent=2) + "\n"
    )
    print(f"{'milliseconds':<34}{'best':>8}{'median':>8}")
    for line, row in rows.items():
        print(f"densecli {line:<25}{row['best']:>8.0f}{row['median']:>8.0f}")


def times(line: list[str], runs: int) -> list[float]:
    """Return the seconds that each of `runs` processes took, after one that warms the file cache."""
    command = [sys.executable, "-m", "densecli", *line]
    taken = []
    with tempfile.TemporaryDirectory() as empty:
        for _ in range(runs + 1):
            begun = time.perf_counter()
            subprocess.run(command, cwd=empty, check=True, capture_output=True)
            taken.append(time.perf_counter() - begun)
    return taken[1:]


def summary(taken: list[float]) -> dict[str, float]:
    return {"best": round(1000 * min(taken), 1), "median": round(1000 * statistics.median(taken), 1)}


def about() -> dict[str, object]:
    """Return the machine and the versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()

"""How fast `preprocess` is, and how much memory it takes, beside a plain Python loop that does the same work.

Both run as whole processes, start included, by turns; the best of several runs is what they cost. Megabytes
are those of the input decompressed. Memory is the largest sum over a process and all it started.
"""

import argparse
import gzip
import json
import os
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
from cold_start import processor
from reference.measured import Taken, measured

HERE = Path(__file__).parent
RESULT = HERE / "results" / "preprocess.json"
CORPUS = HERE.parents[1] / "shared" / "data" / "wiki" / "simplewiki_wikiextractor.jsonl.gz"
LIBRARIES = ("densecli", "orjson", "pyarrow", "numpy")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "corpus", nargs="?", type=Path, default=CORPUS, help="WikiExtractor's JSON lines, gzip"
    )
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    with gzip.open(chosen.corpus) as stream:
        megabytes = sum(len(line) for line in stream) / 1e6
    taken: dict[str, list[Taken]] = {"densecli": [], "plain loop": []}
    with tempfile.TemporaryDirectory() as folder:
        lines = {
            "densecli": [
                sys.executable, "-m", "densecli", "preprocess", str(chosen.corpus), "-o", f"{folder}/made",
                "--force", "--quiet",
            ],
            "plain loop": [
                sys.executable, str(HERE / "reference" / "preprocess_loop.py"), str(chosen.corpus),
                f"{folder}/loop.arrow",
            ],
        }  # fmt: skip
        for _ in range(chosen.runs):
            for name, line in lines.items():
                taken[name].append(measured(line)[0])
        same = read(f"{folder}/made/passages.arrow").equals(read(f"{folder}/loop.arrow"))
    rows = {name: summary(runs, megabytes) for name, runs in taken.items()}
    result = {
        **about(),
        "corpus": chosen.corpus.name,
        "megabytes": round(megabytes, 1),
        "runs": chosen.runs,
        "same_passages": same,
        "rows": rows,
        "times_as_fast": round(rows["plain loop"]["best_seconds"] / rows["densecli"]["best_seconds"], 2),
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def read(path: str) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def summary(runs: list[Taken], megabytes: float) -> dict[str, float]:
    best = min(run.seconds for run in runs)
    return {
        "best_seconds": round(best, 2),
        "median_seconds": round(statistics.median(run.seconds for run in runs), 2),
        "megabytes_per_second": round(megabytes / best, 1),
        "cpu_seconds": round(min(run.cpu_seconds for run in runs), 2),
        "peak_mb": round(max(run.peak_mb for run in runs)),
    }


def about() -> dict[str, object]:
    """Return the machine and the versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in LIBRARIES},
    }


if __name__ == "__main__":
    main()

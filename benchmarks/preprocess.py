"""How fast `preprocess` is, and how much memory it takes, beside a plain Python loop that does the same work.

Both run as whole processes, start included, by turns; the best of several runs is what they cost. The
target is 1.7 times from parsed input to written passages, so a file that is not packed counts, and one that
holds the corpus several times over: the half second that a program takes to start, here and once in each
worker, is nothing to a Wikipedia. One copy, and reading it as gzip, are measured beside it. Megabytes are
those of the input unpacked. Memory is the largest sum over a process and all it started.
"""

import argparse
import gzip
import json
import os
import shutil
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
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--copies", type=int, default=4, help="how often the larger corpus has the smaller")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / chosen.corpus.name.removesuffix(".gz")
        with gzip.open(chosen.corpus) as packed, open(plain, "wb") as stream:
            shutil.copyfileobj(packed, stream)
        larger = Path(folder) / f"larger-{plain.name}"
        repeat(plain, larger, chosen.copies)
        megabytes = plain.stat().st_size / 1e6
        forms = {
            form: compared(path, Path(folder), chosen.runs, chosen.workers, megabytes * copies)
            for form, path, copies in (
                ("plain", plain, 1),
                ("gzip", chosen.corpus, 1),
                (f"plain, {chosen.copies} times over", larger, chosen.copies),
            )
        }
    result = {
        **about(),
        "corpus": chosen.corpus.name,
        "megabytes": round(megabytes, 1),
        "runs": chosen.runs,
        "workers": chosen.workers,
        **forms,
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def repeat(corpus: Path, target: Path, copies: int) -> None:
    """Write a corpus several times over, with other ids each time."""
    with open(target, "wb") as stream:
        for copy in range(copies):
            with open(corpus, "rb") as lines:
                for line in lines:
                    stream.write(line.replace(b'"id": "', b'"id": "%d00000000' % (copy + 1), 1))


def compared(corpus: Path, folder: Path, runs: int, workers: int, megabytes: float) -> dict[str, object]:
    """Run both over a corpus, by turns, and return what they took."""
    lines = {
        "densecli": [
            sys.executable, "-m", "densecli", "preprocess", str(corpus), "-o", f"{folder}/made",
            "--workers", str(workers), "--force", "--quiet",
        ],
        "plain loop": [
            sys.executable, str(HERE / "reference" / "preprocess_loop.py"), str(corpus),
            f"{folder}/loop.arrow",
        ],
    }  # fmt: skip
    taken: dict[str, list[Taken]] = {name: [] for name in lines}
    for _ in range(runs):
        for name, line in lines.items():
            taken[name].append(measured(line)[0])
    rows = {name: summary(each, megabytes) for name, each in taken.items()}
    return {
        "same_passages": read(f"{folder}/made/passages.arrow").equals(read(f"{folder}/loop.arrow")),
        "rows": rows,
        "times_as_fast": round(rows["plain loop"]["best_seconds"] / rows["densecli"]["best_seconds"], 2),
    }


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

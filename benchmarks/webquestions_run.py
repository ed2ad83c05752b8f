"""Every stage by its command, from a raw file of 100,000 passages to the evaluated table on WebQuestions.

    python benchmarks/webquestions_run.py --data DATA --base BASE --work FOLDER

DATA holds wiki/psgs_main_w100.tsv.gz (passages in the form of psgs_w100) and questions/webquestions-*.jsonl;
BASE is the folder or Hub name of the encoder to start from. Steps that were measured before, in the same
FOLDER, are not run again. Writes results/webquestions-100k.json here and docs/runs/webquestions-100k.md.
"""

import argparse
import json
import os
import platform
import shutil
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pool import thinned, write_pool
from steps import measured_once

HERE = Path(__file__).parent
RESULT = HERE / "results" / "webquestions-100k.json"
PAGE = HERE.parent / "docs" / "runs" / "webquestions-100k.md"
INTRODUCTION = HERE / "webquestions_run.md"
PASSAGES = 100_000
DEPTH = 5
ROWS = {"bm25": "BM25", "base": "{base}, untrained", "trained": "the same after one epoch"}
STEPS = f"""
preprocess pool.tsv
index --kind bm25
mine-negatives webquestions-train.jsonl
mine-negatives webquestions-dev.jsonl
train webquestions-train --dev webquestions-dev --encoder BASE --epochs 1
embed
index
embed --retriever BASE -o base/vectors
index --vectors base/vectors -o base/index
search webquestions-test.jsonl --mode bm25 -o bm25.jsonl
search webquestions-test.jsonl --mode dense --retriever BASE --index base/index -o base.jsonl
search webquestions-test.jsonl --mode dense -o trained.jsonl
read bm25.jsonl -k {DEPTH} -o bm25-read.jsonl
read base.jsonl -k {DEPTH} -o base-read.jsonl
read trained.jsonl -k {DEPTH} -o trained-read.jsonl
evaluate bm25-read.jsonl
evaluate base-read.jsonl
evaluate trained-read.jsonl
""".strip().splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("data", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--base", required=True, help="folder or Hub name")
    options = parser.parse_args()
    collect(options.data, options.work)
    done = measured_once(STEPS, options.base, options.work)
    RESULT.write_text(json.dumps({**about(options.base), "steps": done}, indent=2) + "\n")
    PAGE.write_text(page(Path(options.base).name, done))
    print(PAGE.read_text())


def collect(data: Path, work: Path) -> None:
    """Put the pool and the questions into the work folder."""
    work.mkdir(parents=True, exist_ok=True)
    for part in ("train", "dev", "test"):
        shutil.copy(data / "questions" / f"webquestions-{part}.jsonl", work)
    if not (work / "pool.tsv").exists():
        fifth = partial(thinned, every=5, first=5)
        write_pool(data, work / "pool.tsv", lambda rows: islice(fifth(rows), 1 + PASSAGES))


def about(base: str) -> dict[str, Any]:
    return {"base": Path(base).name, "python": platform.python_version(), "cores": os.cpu_count()}


def page(base: str, done: dict[str, Any]) -> str:
    """Return the page: introduction, table of accuracy, table of costs."""
    lines = [INTRODUCTION.read_text().strip(), "", "## Accuracy", ""]
    lines += ["| | top-1 | top-5 | top-20 | top-100 | exact match |", "|---|---|---|---|---|---|"]
    for name, title in ROWS.items():
        found = done[f"evaluate {name}-read.jsonl"]["printed"]
        cells = [found["top_k"][k] for k in ("1", "5", "20", "100")] + [found["exact_match"]]
        lines.append(f"| {title.format(base=base)} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")
    lines += ["", "## Commands and costs", "", "| command | seconds | CPU seconds | peak memory |"]
    lines.append("|---|---|---|---|")
    for step in STEPS:
        cost = done[step]
        cells = [f"{cost['seconds']:,.0f}", f"{cost['cpu_seconds']:,.0f}", f"{cost['peak_mb']:,} MB"]
        lines.append(f"| `densecli {step}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

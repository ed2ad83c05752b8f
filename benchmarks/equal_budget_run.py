"""One epoch on 1,000 examples: as the authors' training code was set, and with our own defaults.

    python benchmarks/equal_budget_run.py --data DATA --base BASE --work FOLDER

DATA holds dpr-files/wq-train-1000.json and wq-dev-128.json, wiki/psgs_main_w100.tsv.gz (433,371 passages)
and questions/; BASE is all-MiniLM-L6-v2. Steps that were done before in the same FOLDER are not done again;
with --arms the page tells of those alone. Writes results/equal-budget.json here and
docs/runs/equal-budget.md, or both into --to.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from cold_start import about
from equal_budget_page import page
from pool import part_named, write_pool
from reference.paired import CUTS
from steps import measured_once

HERE = Path(__file__).parent
SETS = {
    "webq": "webquestions-test.jsonl",
    "trec": "curatedtrec-test.jsonl",
    "nq": "nq-open-dev.jsonl",
}
FILES = ("wq-train-1000.json", "wq-dev-128.json")
SEEDS = (12345, 23456, 34567)
AS_REFERENCE = (
    "--preset dpr-nq --batch-size 32 --epochs 1 --warmup-steps 6 --pooling cls --trailing-sep yes "
    "--precision fp32"
)
OWN = "--epochs 1 " + " ".join(f"--exclude {name}.questions" for name in SETS)
SETTINGS = {"reference": AS_REFERENCE, "own": OWN, "dot": f"{OWN} --similarity dot"}
ARMS = (
    *(f"{kind}-{seed}" for seed in SEEDS for kind in ("reference", "own")), f"dot-{SEEDS[0]}", "base"
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("data", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--base", required=True, help="folder or Hub name")
    parser.add_argument(
        "--arms", nargs="+", choices=ARMS, default=list(ARMS), help="what to train and search"
    )
    parser.add_argument("--to", type=Path, help="folder for the page and the figures")
    options = parser.parse_args()
    told: dict[str, Any] = {**about(), "base": Path(options.base).name}
    told["versions"] |= {"torch": version("torch")}
    told["passages"] = collect(options.data, options.work)
    done = measured_once(planned(options.arms), options.base, options.work)
    found = {arm: outcome(options.work, arm, done) for arm in options.arms}
    figures = {**told, "arms": found, "steps": {step: done[step] for step in planned(options.arms)}}
    figures_at = (options.to or HERE / "results") / "equal-budget.json"
    figures_at.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    page_at = (options.to or HERE.parent / "docs" / "runs") / "equal-budget.md"
    page_at.write_text(page(figures))
    print(page_at.read_text())


def collect(data: Path, work: Path) -> int:
    """Put examples, questions and the pool into the work folder; return how many passages there are."""
    work.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(data / "dpr-files" / name, work)
    for name, file in SETS.items():
        shutil.copy(data / "questions" / file, work / f"{name}.questions")
    return write_pool(data, work / "pool.tsv", part_named("42k"))


def planned(arms: Sequence[str]) -> Iterator[str]:
    """Return the steps in order."""
    return chain(["preprocess pool.tsv"], *map(steps_of, arms))


def steps_of(arm: str) -> Iterator[str]:
    """Yield the steps of one arm: a model, its vectors of the pool, what it finds."""
    kind, _, seed = arm.partition("-")
    model = "BASE" if kind == "base" else arm
    if seed:
        inputs = f"train {FILES[0]} --dev {FILES[1]} --encoder BASE"
        yield f"{inputs} {SETTINGS[kind]} --seed {seed} -o {arm}"
    if kind == "reference":  # its vectors were made without the [SEP] that it was trained with
        model = f"{arm}-plain"
        yield f"convert {arm} --to dpr-checkpoint -o {arm}.cp"
        yield f"convert {arm}.cp --to retriever --base BASE --trailing-sep no -o {model}"
    yield f"embed --retriever {model} --precision bf16 -o {arm}-vectors"
    yield f"index --vectors {arm}-vectors -o {arm}-index"
    for name in SETS:
        regex = " --answer-type regex" if name == "trec" else ""
        yield (
            f"search {name}.questions --mode dense --retriever {model} --index {arm}-index -k 100"
            f" --batch-size 512 --no-text{regex} -o {arm}.{name}.jsonl"
        )
        yield f"evaluate {arm}.{name}.jsonl"


def outcome(work: Path, arm: str, done: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an arm came to: loss and accuracy of its training, dev loss, top-k accuracy by set."""
    top = {name: done[f"evaluate {arm}.{name}.jsonl"]["printed"]["top_k"] for name in SETS}
    found: dict[str, Any] = {"top_k": {name: [row[str(k)] for k in CUTS] for name, row in top.items()}}
    if arm == "base":
        return found
    steps = [json.loads(line) for line in (work / arm / "metrics.jsonl").read_text().splitlines()]
    return {**training(steps), **found}


def training(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the updates of one epoch and the look at the dev examples after them told."""
    dev = steps[-1]["validation"]
    return {
        "updates": len(steps),
        "loss": sum(step["loss"] for step in steps) / len(steps),
        "accuracy": sum(step["accuracy"] for step in steps) / len(steps),
        "dev_loss": dev["loss"],
        "dev_accuracy": dev["accuracy"],
        "dev_loss_before": steps[0]["untrained"]["loss"],
    }


if __name__ == "__main__":
    main()

"""One epoch of the reader: a plain loop at the reference's settings, and `train-reader` at the same ones.

    densecli search train-questions.jsonl -k 50 -o FOUND.jsonl
    densecli search dev-questions.jsonl -k 50 -o DEV.jsonl
    python benchmarks/reader_budget.py FOUND.jsonl DEV.jsonl BASE WORK

Both train BASE on the same questions with the same settings. Each has three seeds, which decide order, draws
and dropout. `densecli read` reads DEV with all six readers. Steps that were done before in WORK are not done
again. Writes results/reader-budget.json, or the file that --to names.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from cold_start import about
from reader_run import refuse_others
from steps import alone_in, measured_once

from densecli.artifacts.recipe import digest_file
from densecli.files.atomic import new_file

HERE = Path(__file__).parent
SEEDS = (12345, 23456, 34567)
BUDGET = {"passages": 8, "tokens": 256, "learning_rate": 1e-4}
"""The reference has 24 passages of 350 word pieces, and a lower rate for a much longer training."""
OWN = (
    "train-reader found.jsonl --dev dev.jsonl --encoder BASE --preset dpr-nq --epochs 1 --precision fp32"
    f" --passages {BUDGET['passages']} --max-tokens {BUDGET['tokens']}"
    f" --learning-rate {BUDGET['learning_rate']} --dev-questions 100000 --device cpu"
)
MEASURES = ("training loss", "dev loss", "EM", "F1")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("found", "dev", "base", "work"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--to", type=Path, default=HERE / "results" / "reader-budget.json")
    options = parser.parse_args()
    with alone_in(options.work):
        figures = run(options.found, options.dev, options.base.resolve(), options.work)
    options.to.write_text(json.dumps(figures, indent=2) + "\n")
    print(options.to.read_text())


def run(found: Path, dev: Path, base: Path, work: Path) -> dict[str, Any]:
    """Do what is left to do, and return the figures."""
    settings = {**BUDGET, "base": base.name, "found": digest_file(found), "dev": digest_file(dev)}
    refuse_others(work / "settings.json", settings)
    for source, name in ((found, "found.jsonl"), (dev, "dev.jsonl")):
        if not (work / name).exists():
            shutil.copyfile(source, work / name)
    arms: dict[str, list[dict[str, float]]] = {"loop": [], "densecli": []}
    done: dict[str, Any] = {}
    for seed in SEEDS:
        train_loop(work, base, seed)
        convert = f"convert loop-{seed}.cp --to reader --base BASE --token-types zeros -o loop-{seed}"
        done |= measured_once([convert, f"{OWN} --seed {seed} -o densecli-{seed}"], str(base), work)
        for arm, told in arms.items():
            reader = f"{arm}-{seed}"
            steps = [
                f"read dev.jsonl --reader {reader} --select passage -o {reader}.jsonl",
                f"evaluate {reader}.jsonl",
            ]
            done |= measured_once(steps, str(base), work)
            read = done[steps[-1]]["printed"]
            losses = loop_losses(work, seed) if arm == "loop" else own_losses(work / reader)
            told.append(dict(zip(MEASURES, (*losses, read["exact_match"], read["f1"]), strict=True)))
    return {
        **about(),
        "settings": settings,
        "questions": {name: count(work / f"{name}.jsonl") for name in ("found", "dev")},
        "seeds": SEEDS,
        "arms": arms,
        "compared": {name: compare(arms, name) for name in MEASURES},
        "steps": done,
    }


def train_loop(work: Path, base: Path, seed: int) -> None:
    """Run the plain loop, unless it has run."""
    printed = work / f"loop-{seed}.losses"
    if printed.exists():
        return
    line = [sys.executable, str(HERE / "reference" / "reader_loop.py"), "found.jsonl", "dev.jsonl", str(base)]
    line += [str(seed), f"loop-{seed}.cp", *(f"{name}={value}" for name, value in BUDGET.items())]
    done = subprocess.run(line, cwd=work, stdout=subprocess.PIPE, check=True)
    with new_file(printed) as unfinished:
        unfinished.write_bytes(done.stdout)


def loop_losses(work: Path, seed: int) -> tuple[float, float]:
    """Return the mean loss of a question in training, and of a dev question after it."""
    *updates, last = map(json.loads, (work / f"loop-{seed}.losses").read_text().splitlines())
    return mean(one["loss"] for one in updates), last["dev_loss"]


def own_losses(folder: Path) -> tuple[float, float]:
    """Return the same of a training of densecli."""
    updates = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return mean(one["loss"] for one in updates), updates[-1]["validation"]["loss"]


def count(path: Path) -> int:
    return len(path.read_bytes().splitlines())


def compare(arms: dict[str, list[dict[str, float]]], name: str) -> dict[str, float]:
    """Return the mean of each arm, and their difference, also in standard errors of a difference of means."""
    theirs, ours = ([one[name] for one in arms[arm]] for arm in ("loop", "densecli"))
    error = ((stdev(theirs) ** 2 + stdev(ours) ** 2) / len(SEEDS)) ** 0.5
    difference = mean(ours) - mean(theirs)
    return {
        "loop": round(mean(theirs), 4),
        "densecli": round(mean(ours), 4),
        "difference": round(difference, 4),
        "standard_errors": round(difference / error, 2) if error else 0.0,
    }


if __name__ == "__main__":
    main()

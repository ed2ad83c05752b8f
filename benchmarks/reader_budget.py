"""One epoch of the reader: a plain loop at the reference's settings, and `train-reader` at the same ones.

    densecli search train-questions.jsonl -k 50 -o FOUND.jsonl
    densecli search dev-questions.jsonl -k 50 -o DEV.jsonl
    python benchmarks/reader_budget.py FOUND.jsonl DEV.jsonl BASE WORK

Both train BASE on the same questions with the same settings. Each has three seeds, which decide new heads,
order, draws and dropout. The loss of dev questions is computed by the same code for all six readers. Steps
that were done before in WORK are not done again. Writes results/reader-budget.json, or the file that --to
names.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from cold_start import about
from reader_run import refuse_others
from steps import alone_in, measured_once

from densecli.artifacts.recipe import digest_file
from densecli.files.atomic import new_file
from densecli.formats.read_results import read_ranked
from densecli.reader.examples import first, reader_examples, sample
from densecli.reader.torch_folder import open_reader_base
from densecli.reader.torch_forward import FullShape
from densecli.reader.torch_update import mean_loss

HERE = Path(__file__).parent
SEEDS = (12345, 23456, 34567)
PASSAGES, TOKENS, ANSWER, DEPTH = 8, 256, 10, 200
BUDGET = {"passages": PASSAGES, "tokens": TOKENS, "learning_rate": 1e-4}
"""The reference has 24 passages of 350 word pieces, and a lower rate for a much longer training."""
OWN = (
    "train-reader found.jsonl --dev dev.jsonl --encoder BASE --preset dpr-nq --epochs 1 --precision fp32"
    f" --passages {BUDGET['passages']} --max-tokens {BUDGET['tokens']}"
    f" --learning-rate {BUDGET['learning_rate']} --dev-questions 100000 --device cpu"
)
MEASURES = ("training loss", "dev loss")


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
            printed = work / (f"loop-{seed}.losses" if arm == "loop" else f"{reader}/metrics.jsonl")
            losses = training_loss(printed), dev_loss(work / reader, work / "dev.jsonl")
            told.append(dict(zip(MEASURES, losses, strict=True)))
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


def training_loss(printed: Path) -> float:
    """Return the mean loss of a question in training, of the loop or of densecli."""
    rows = map(json.loads, printed.read_text().splitlines())
    return mean(row["loss"] for row in rows if "loss" in row)


def dev_loss(folder: Path, dev: Path) -> float:
    """Return the mean loss of a dev question with its first positive and its first negatives."""
    reader = open_reader_base(str(folder), TOKENS, ANSWER, seed=0)
    held_out = reader_examples(read_ranked(str(dev)), reader.tokens, TOKENS, DEPTH, Counter(), "dpr")
    samples = [sample(one, first(one, PASSAGES), reader.tokens, TOKENS, ANSWER) for one in held_out]
    shape = FullShape(PASSAGES, TOKENS)
    return mean_loss(reader.model, samples, reader.tokens.pad, torch.float32, shape).loss


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

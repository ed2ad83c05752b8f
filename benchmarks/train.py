"""How fast `train` is beside a loop that works as the reference implementation does, from the same weights.

    python benchmarks/train.py --examples EXAMPLES.json --base MODEL

EXAMPLES is a file of DPR's training examples with hard negatives, MODEL a folder of a BERT-like encoder.
Batches of 32 questions, each with one positive and one hard negative, go through reference/train_loop.py and
through `densecli train`, with all activations kept and with cached gradients, in turns: the same batches in
the same order, `[CLS]`, dot product. The first batch of a run warms up and is not timed. Then batches of 128,
and a run under the profiler for the shares of time. Writes results/train.json.
"""

import argparse
import json
import pstats
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cold_start import about
from reference.measured import Taken, measured

HERE = Path(__file__).parent
RESULT = HERE / "results" / "train.json"
RATE, WARMUP, SEED = 2e-5, 1, 12345
BATCH, LARGE = 32, 128
VARIANTS = {"kept": ("--activation-memory", "1000"), "cached gradients": ("--activation-memory", "0")}
PHASES = {
    "tokenization": (("tokens.py", "_encode"),),
    "forward": (("forward.py", "__init__"),),
    "backward": (("forward.py", "backward"),),
    "optimizer": (("optimizer.py", "clip"), ("optimizer.py", "step")),
}
"""Functions by file and name, none of which calls another."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--updates", type=int, default=6, help="batches of a run, the first one included")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    examples = json.loads(chosen.examples.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        run = Runs(Path(folder), chosen.base.resolve())
        some = run.file(examples[: BATCH * chosen.updates])
        rows: dict[str, list[dict[str, Any]]] = {"loop": [], **{name: [] for name in VARIANTS}}
        for _ in range(chosen.rounds):
            rows["loop"].append(run.loop(some))
            for name, options in VARIANTS.items():
                rows[name].append(run.densecli(some, BATCH, options))
        large = run.densecli(run.file(examples[: LARGE * 2]), LARGE, ())
        shares = run.shares(some)
    summary = {name: summed(found) for name, found in rows.items()}
    rates = {name: found["questions_per_second"] for name, found in summary.items()}
    result = {
        "base": chosen.base.name,
        "batch": f"{BATCH} questions, {BATCH * 2} passages",
        "runs": summary,
        "times as fast as the loop": {name: round(rates[name] / rates["loop"], 2) for name in VARIANTS},
        f"batches of {LARGE}": summed([large]),
        "shares of time, all activations kept": shares,
    }
    chosen.output.write_text(json.dumps({**about(), **result}, indent=2) + "\n")
    print(json.dumps(result, indent=2))


class Runs:
    """Runs of both sides in a scratch folder."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder = folder
        self._base = base

    def file(self, examples: list[Any]) -> Path:
        path = self._folder / f"examples-{len(examples)}.json"
        path.write_text(json.dumps(examples))
        return path

    def loop(self, examples: Path) -> dict[str, Any]:
        script = HERE / "reference" / "train_loop.py"
        command = [sys.executable, script, examples, self._base, str(BATCH), str(RATE), str(WARMUP)]
        taken, printed = measured(command)
        steps = [json.loads(line) for line in printed.splitlines()]
        return row(taken, [(step["loss"], BATCH / step["seconds"]) for step in steps])

    def densecli(self, examples: Path, batch: int, options: tuple[str, ...]) -> dict[str, Any]:
        taken, _ = measured([sys.executable, "-m", "densecli", *self._train(examples, batch), *options])
        lines = (self._folder / "out" / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line) for line in lines]
        return row(taken, [(step["loss"], step["questions_per_second"]) for step in steps])

    def shares(self, examples: Path) -> dict[str, float]:
        """Return each phase's share of the time of all updates, under the profiler."""
        profile = self._folder / "profile"
        command = [sys.executable, "-m", "cProfile", "-o", profile, "-m", "densecli"]
        measured([*command, *self._train(examples, BATCH), *VARIANTS["kept"]])
        stats = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
        whole = sum(seconds(stats, ("update.py", "update")))
        shares = {phase: sum(sum(seconds(stats, one)) for one in these) for phase, these in PHASES.items()}
        whole += shares["tokenization"]
        found = {phase: round(taken / whole, 3) for phase, taken in shares.items()}
        return {**found, "rest": round(1 - sum(found.values()), 3)}

    def _train(self, examples: Path, batch: int) -> list[str | Path]:
        options = (
            f"--batch-size {batch} --epochs 1 --learning-rate {RATE} --warmup-steps {WARMUP} --seed {SEED}"
        )
        place = [
            "-w",
            self._folder / "workspace",
            "-o",
            self._folder / "out",
            "--force",
            "--encoder",
            self._base,
        ]
        return ["train", examples, *options.split(), "--pooling", "cls", "--similarity", "dot", *place]


def seconds(stats: Any, wanted: tuple[str, str]) -> Iterator[float]:
    """Yield the cumulative seconds of the functions of densecli with a file's name and a name."""
    for (path, _, name), (_, _, _, cumulative, _) in stats.items():
        if (Path(path).name, name) == wanted and "densecli" in path:
            yield cumulative


def row(taken: Taken, steps: list[tuple[float, float]]) -> dict[str, Any]:
    rates = [rate for _, rate in steps[1:]]
    return {
        "losses": [round(loss, 3) for loss, _ in steps],
        "questions_per_second": statistics.harmonic_mean(rates),
        "peak_mb": taken.peak_mb,
    }


def summed(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of several runs of one side, and the losses of the first."""
    rates = [found["questions_per_second"] for found in runs]
    return {
        "questions_per_second": round(statistics.median(rates), 2),
        "of each run": [round(rate, 2) for rate in rates],
        "peak_mb": round(max(found["peak_mb"] for found in runs)),
        "losses": runs[0]["losses"],
    }


if __name__ == "__main__":
    main()

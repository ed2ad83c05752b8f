"""What the masks of dropout cost in an update on a CPU, and whether cheaper ones change the loss curve.

    python benchmarks/dropout_masks.py --examples EXAMPLES --base MODEL

The same updates of both towers run in turns: without dropout, with torch's masks (`aten::bernoulli_`, one
thread, 32 random bits for each element), and with the masks of densecli (16 random bits from numpy's SFC64).
The time is that of the CPU, so that other work on the machine counts little. Then each kind of mask trains
from the same weights in the same order with each of several seeds. The curves are compared in windows of
updates: the difference of their means beside its standard error over the seeds.

Writes results/dropout-masks.json. Cheaper masks are worth their code from 1.15 times on.
"""

import argparse
import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cold_start import about

from densecli.configs.training import TrainConfig
from densecli.encoders import torch_dropout
from densecli.encoders.torch_dropout import seeded_dropout, set_dropout
from densecli.encoders.torch_hardware import describe_hardware, pick_device, pick_precision
from densecli.formats.read_examples import read_examples
from densecli.training.batches import lay_out
from densecli.training.examples import ExampleSpool
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.prepare import open_to_train, prepare
from densecli.training.update import update

RESULT = Path(__file__).parent / "results" / "dropout-masks.json"
ELEMENTS = 10_000_000
SHARE = 0.1
TORCH, CHEAP, NONE = "masks of torch", "masks of densecli", "no dropout"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--curve-batch-size", type=int, default=16)
    parser.add_argument("--curve-tokens", type=int, default=64, help="of a passage, for a shorter run")
    parser.add_argument("--learning-rate", type=float, default=1e-4, help="high, so that a short curve falls")
    parser.add_argument("--updates", type=int, default=40, help="updates of a loss curve")
    parser.add_argument("--windows", type=int, default=4, help="parts in which curves are compared")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    examples = ExampleSpool(list(read_examples(chosen.examples)), Counter())
    training = Training(examples, chosen.base, TrainConfig(batch_size=chosen.batch_size, dropout=SHARE))
    medians, of_each = timed(training, chosen.rounds)
    curves: dict[str, list[list[float]]] = {TORCH: [], CHEAP: []}
    config = TrainConfig(
        batch_size=chosen.curve_batch_size, dropout=SHARE, max_passage_tokens=chosen.curve_tokens,
        learning_rate=chosen.learning_rate, warmup_steps=0,
    )  # fmt: skip
    for seed in chosen.seeds:
        for name, losses in curves.items():
            with masks_of(name):
                run = Training(examples, chosen.base, config, seed)
                losses.append([run.step(number) for number in range(chosen.updates)])
    result = {
        "base": Path(chosen.base).name,
        "batch": f"{chosen.batch_size} questions, {2 * chosen.batch_size} passages",
        "arithmetic": describe_hardware(training.device, training.precision),
        "nanoseconds of CPU for an element of a hidden state": {
            name: nanoseconds(name) for name in (TORCH, CHEAP)
        },
        "CPU seconds of an update": {name: round(value, 2) for name, value in medians.items()},
        "of each": of_each,
        "times as fast as with masks of torch": {
            name: round(medians[TORCH] / medians[name], 3) for name in (CHEAP, NONE)
        },
        "loss curves": {
            "seeds": chosen.seeds,
            "questions of a batch": chosen.curve_batch_size,
            "tokens of a passage, at most": chosen.curve_tokens,
            "updates": chosen.updates,
            "learning rate": chosen.learning_rate,
            **compared(curves, chosen.windows),
        },
    }
    chosen.output.write_text(json.dumps({**about(), **result}, indent=2) + "\n")
    print(json.dumps(result, indent=2))


class Training:
    """Both towers of a base, and updates of them on batches in the order of a seed."""

    def __init__(self, examples: ExampleSpool, base: str, config: TrainConfig, seed: int = 1) -> None:
        self.device = pick_device("cpu")
        self.precision = pick_precision("auto", self.device)
        self.retriever = open_to_train(base, config)
        prepare(self.retriever, SHARE, False, self.device)
        towers = self.retriever.question, self.retriever.passage
        self._optimizer = Optimizer.of(towers, config, 1000, self.precision)
        self._objective = Objective.of(config, self.retriever.model_config.similarity)
        self._examples = examples
        self._order = np.random.default_rng(seed).permutation(len(examples)).tolist()
        self._batch_size = config.batch_size
        self._seed = seed

    def step(self, number: int) -> float:
        """Train on the batch of that number, and return its loss."""
        first = number * self._batch_size % (len(self._order) - self._batch_size + 1)
        rows = self._order[first : first + self._batch_size]
        batch = lay_out(self._examples.draw(rows, 0, 1, self._seed, 0, number), self.retriever.tokens)
        seed = 1000 * self._seed + number
        done = update(self.retriever, batch, self._optimizer, self.precision, seed, self._objective, 1 << 40)
        return done.loss


def timed(training: Training, rounds: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Return the median CPU seconds of an update on one batch by kind of mask, and those of each."""
    seconds: dict[str, list[float]] = {TORCH: [], CHEAP: [], NONE: []}
    training.step(0)
    for _ in range(rounds):
        for name, found in seconds.items():
            for tower in (training.retriever.question, training.retriever.passage):
                set_dropout(tower, 0.0 if name == NONE else SHARE)
            with masks_of(name):
                begun = time.process_time()
                training.step(0)
                found.append(round(time.process_time() - begun, 2))
    return {name: statistics.median(found) for name, found in seconds.items()}, seconds


@contextmanager
def masks_of(name: str) -> Iterator[None]:
    """Let updates take masks of torch, if that is what is named."""
    ours = dict(torch_dropout.REPLACED)
    if name == TORCH:
        torch_dropout.REPLACED.clear()
    try:
        yield
    finally:
        torch_dropout.REPLACED.update(ours)


def nanoseconds(name: str) -> float:
    states = torch.ones(ELEMENTS)
    with seeded_dropout(torch.device("cpu"), 1), masks_of(name), torch.no_grad():
        dropped = torch.nn.functional.dropout(states, SHARE)
        assert abs(float(dropped.mean()) - 1) < 1e-3
        begun = time.process_time()
        for _ in range(3):
            torch.nn.functional.dropout(states, SHARE)
    return round((time.process_time() - begun) / 3 / ELEMENTS * 1e9, 2)


def compared(curves: dict[str, list[list[float]]], windows: int) -> dict[str, Any]:
    """Return the mean loss in each window by kind of mask, their differences and the standard errors."""
    parts = {name: [in_windows(losses, windows) for losses in of_seeds] for name, of_seeds in curves.items()}
    rows = []
    for number in range(windows):
        torch_losses, ours = ([of_seed[number] for of_seed in parts[name]] for name in (TORCH, CHEAP))
        differences = [mine - theirs for mine, theirs in zip(ours, torch_losses, strict=True)]
        error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else None
        rows.append({
            TORCH: round(statistics.mean(torch_losses), 4),
            CHEAP: round(statistics.mean(ours), 4),
            "difference": round(statistics.mean(differences), 4),
            "standard error": None if error is None else round(error, 4),
        })  # fmt: skip
    return {"windows": rows, "of each seed": {name: rounded(found) for name, found in parts.items()}}


def in_windows(losses: Sequence[float], windows: int) -> list[float]:
    return [float(part.mean()) for part in np.array_split(np.array(losses), windows)]


def rounded(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in rows]


if __name__ == "__main__":
    main()

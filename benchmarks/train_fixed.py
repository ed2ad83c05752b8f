"""How fast the question tower alone is trained over stored vectors, and with its passage tower running.

    python benchmarks/train_fixed.py --examples EXAMPLES --workspace WORKSPACE --retriever RETRIEVER

WORKSPACE has the passages of the EXAMPLES and their vectors by RETRIEVER, a folder of densecli. Batches of
128 questions, each with one positive and one hard negative, go through the question tower in turns: with the
passage tower in every update, which is how `train --fixed-passage-encoder` worked before it read stored
vectors, and with the stored vectors. Dropout is on, so that equal losses show equal draws. Then the stored
vectors with negatives from the whole index. The first update of a run warms up and is not timed. Writes
results/train-fixed.json.
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from cold_start import about

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_hardware import describe_hardware, pick_device, pick_precision
from densecli.formats.read_examples import read_examples
from densecli.training.batches import lay_out
from densecli.training.checkpoint import TrainProgress, TrainState
from densecli.training.examples import ExampleSpool
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.prepare import open_to_train, prepare
from densecli.training.retriever import train
from densecli.training.sampling import Source, epoch_batches
from densecli.training.stored import Stored
from densecli.training.update import update

HERE = Path(__file__).parent
RESULT = HERE / "results" / "train-fixed.json"

Side = Callable[[], Iterator[float]]
"""Yields the loss of each update when it is done."""


class Unkept:
    """Keeps nothing."""

    def begin(self, trainee: TrainState) -> TrainProgress:
        return TrainProgress()

    def best(self) -> None:
        pass

    def offer(self, standing: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--retriever", type=Path, required=True)
    parser.add_argument("--updates", type=int, default=5, help="updates of a run, the first one included")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    config = TrainConfig(batch_size=chosen.batch_size, epochs=1, fixed_passage_encoder=True)
    given = list(islice(read_examples(chosen.examples), chosen.batch_size * chosen.updates))
    places = chosen.workspace / "passages", chosen.workspace / "vectors"
    stored = Stored.open(*places, chosen.retriever, config)

    def over_vectors(**settings: Any) -> Side:
        changed = replace(config, **settings)
        return lambda: trained(given, chosen.retriever, changed, stored)

    sides: dict[str, Side] = {
        "passage tower in every update": lambda: looped(given, chosen.retriever, config),
        "stored vectors": over_vectors(),
        "stored vectors, --index-negatives all": over_vectors(index_negatives="all"),
        "stored vectors, --index-negatives 100": over_vectors(index_negatives="100"),
    }
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(chosen.rounds):
        for name, side in sides.items():
            runs[name].append(timed(side))
    seconds = {name: statistics.median(run.seconds for run in found) for name, found in runs.items()}
    cpu = {name: statistics.median(run.cpu_seconds for run in found) for name, found in runs.items()}
    losses = {name: found[0].losses for name, found in runs.items()}
    slow, fast = list(sides)[:2]
    apart = max(abs(one - other) for one, other in zip(losses[slow], losses[fast], strict=True))
    device = pick_device("auto")
    result = {
        "retriever": chosen.retriever.name,
        "arithmetic": describe_hardware(device, pick_precision("auto", device)),
        "threads": torch.get_num_threads(),
        "batch": f"{chosen.batch_size:,} questions, {2 * chosen.batch_size:,} passages",
        "stored vectors": len(stored),
        "questions per second": {name: round(chosen.batch_size / s, 1) for name, s in seconds.items()},
        "CPU seconds of an update": {name: round(s, 2) for name, s in cpu.items()},
        "of each run": {name: [round(run.cpu_seconds, 2) for run in found] for name, found in runs.items()},
        "times as fast": round(seconds[slow] / seconds[fast], 2),
        "times less CPU": round(cpu[slow] / cpu[fast], 2),
        "losses": {name: [round(loss, 4) for loss in found] for name, found in losses.items()},
        "losses apart at most": apart,
    }
    chosen.output.write_text(json.dumps({**about(), **result}, indent=2) + "\n")
    print(json.dumps(result, indent=2))


@dataclass(frozen=True)
class Run:
    """Medians of an update, the first one left out, and the losses of all."""

    seconds: float
    cpu_seconds: float
    losses: list[float]


def timed(side: Side) -> Run:
    """Run one side; what comes before the first update is part of its time."""
    taken, losses = [], []
    begun = time.perf_counter(), time.process_time()
    for loss in side():
        now = time.perf_counter(), time.process_time()
        taken.append((now[0] - begun[0], now[1] - begun[1]))
        losses.append(loss)
        begun = now
    seconds, cpu_seconds = (statistics.median(one) for one in zip(*taken[1:], strict=True))
    return Run(seconds, cpu_seconds, losses)


def trained(given: list[Any], base: Path, config: TrainConfig, stored: Stored) -> Iterator[float]:
    """Train by the stage of the program, over stored vectors."""
    retriever, spool = open_to_train(str(base), config), ExampleSpool(given, Counter())
    reports = train(spool, None, retriever, config, Counter(), Unkept(), stored=stored)
    return (report.loss for report in reports)


def looped(given: list[Any], base: Path, config: TrainConfig) -> Iterator[float]:
    """Train with the fixed passage tower in every update."""
    retriever, spool = open_to_train(str(base), config), ExampleSpool(given, Counter())
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    prepare(retriever, config.dropout, False, device, fixed_passage_encoder=True)
    sources = [Source(range(len(spool)))]
    steps = sources[0].batches(config.batch_size)
    optimizer = Optimizer.of((retriever.question, retriever.passage), config, steps, precision)
    objective = Objective.of(config, retriever.model_config.similarity)
    for number, rows in enumerate(epoch_batches(sources, config.batch_size, config.seed, 0)):
        picks = spool.draw(rows, config.other_negatives, config.hard_negatives, config.seed, 0, number)
        batch = lay_out(picks, retriever.tokens)
        yield update(retriever, batch, optimizer, precision, config.seed + number, objective, 1 << 40).loss


if __name__ == "__main__":
    main()

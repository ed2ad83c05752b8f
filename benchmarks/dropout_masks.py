"""What cheaper dropout masks would save in an update on a CPU.

    python benchmarks/dropout_masks.py --examples EXAMPLES --base MODEL

The same updates of both towers run in turns: without dropout, with torch's masks (`aten::bernoulli_`, one
thread, a random number of 32 bits for each element), and with masks of 16 random bits from numpy's SFC64, put
in place of `aten::bernoulli_` for the whole process. The time is that of the CPU, so that other work on the
machine counts little. Writes results/dropout-masks.json. Cheaper masks are worth a change in densecli from
1.15 times on, if the loss curves of three seeds stay the same.
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cold_start import about

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_dropout import set_dropout
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
TORCH, CHEAP, NONE = "masks of torch", "masks of SFC64", "no dropout"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    config = TrainConfig(batch_size=chosen.batch_size, dropout=0.1)
    given = list(islice(read_examples(chosen.examples), chosen.batch_size))
    step = Step(given, chosen.base, config)
    seconds: dict[str, list[float]] = {TORCH: [], CHEAP: [], NONE: []}
    step(0.1)
    for _ in range(chosen.rounds):
        seconds[TORCH].append(step(0.1))
        with cheap_masks():
            seconds[CHEAP].append(step(0.1))
        seconds[NONE].append(step(0.0))
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    result = {
        "base": Path(chosen.base).name,
        "batch": f"{chosen.batch_size} questions, {2 * chosen.batch_size} passages",
        "arithmetic": describe_hardware(step.device, step.precision),
        "nanoseconds of CPU for an element of a mask": masks(),
        "CPU seconds of an update": {name: round(value, 2) for name, value in medians.items()},
        "of each": {name: [round(value, 2) for value in found] for name, found in seconds.items()},
        "times as fast as with masks of torch": {
            name: round(medians[TORCH] / medians[name], 3) for name in (CHEAP, NONE)
        },
    }
    chosen.output.write_text(json.dumps({**about(), **result}, indent=2) + "\n")
    print(json.dumps(result, indent=2))


class Step:
    """One update of both towers, on the same batch each time."""

    def __init__(self, given: list[Any], base: str, config: TrainConfig) -> None:
        self.device = pick_device("cpu")
        self.precision = pick_precision("auto", self.device)
        self._retriever = open_to_train(base, config)
        prepare(self._retriever, config.dropout, False, self.device)
        self._towers = self._retriever.question, self._retriever.passage
        self._optimizer = Optimizer.of(self._towers, config, 100, self.precision)
        self._objective = Objective.of(config, self._retriever.model_config.similarity)
        picks = ExampleSpool(given, Counter()).draw(range(config.batch_size), 0, 1, 1, 0, 0)
        self._batch = lay_out(picks, self._retriever.tokens)

    def __call__(self, dropout: float) -> float:
        """Return the CPU seconds of an update with that dropout."""
        for tower in self._towers:
            set_dropout(tower, dropout)
        begun = time.process_time()
        update(self._retriever, self._batch, self._optimizer, self.precision, 1, self._objective, 1 << 40)
        return time.process_time() - begun


@contextmanager
def cheap_masks() -> Iterator[None]:
    """Let `aten::bernoulli_` compare 16 random bits of SFC64 with its share."""
    generator = np.random.SFC64(1)

    def filled(mask: torch.Tensor, share: float = 0.5, *, generator_: Any = None, **_: Any) -> torch.Tensor:
        words = generator.random_raw(-(-mask.numel() // 4)).view(np.int16)[: mask.numel()]
        kept = torch.from_numpy(words) < round(share * (1 << 16)) - (1 << 15)
        return mask.copy_(kept.view(mask.shape))

    library: Any = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    library.impl("bernoulli_.float", filled, "CPU", allow_override=True)
    try:
        yield
    finally:
        library._destroy()


def masks() -> dict[str, float]:
    mask, kept = torch.empty(ELEMENTS), {}
    for name in (TORCH, CHEAP):
        if name == CHEAP:
            with cheap_masks():
                kept[name] = nanoseconds(mask)
        else:
            kept[name] = nanoseconds(mask)
    return kept


def nanoseconds(mask: torch.Tensor) -> float:
    mask.bernoulli_(0.9)
    assert abs(float(mask.mean()) - 0.9) < 1e-3
    begun = time.process_time()
    for _ in range(3):
        mask.bernoulli_(0.9)
    return round((time.process_time() - begun) / 3 / ELEMENTS * 1e9, 2)


if __name__ == "__main__":
    main()

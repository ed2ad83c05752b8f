"""Training of the two towers: examples in, a report per update out, models saved on the way."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_hardware import pick_device, pick_precision
from densecli.errors import UsageError
from densecli.training.batches import lay_out
from densecli.training.examples import ExampleSpool
from densecli.training.optimise import Optimiser
from densecli.training.prepare import prepare
from densecli.training.report import StepReport
from densecli.training.update import update
from densecli.training.validation import validate


def train(
    examples: ExampleSpool,
    dev: ExampleSpool | None,
    retriever: Retriever,
    config: TrainConfig,
    counts: Counter[str],
    save: Callable[[str], None],
) -> Iterator[StepReport]:
    """Train both towers in place with in-batch and hard negatives (paper, section 3.2).

    Args:
        examples: training examples.
        dev: examples for validation after each epoch, or None.
        retriever: from `open_base`; its towers are changed.
        config: hyper-parameters.
        counts: filled with what is left out.
        save: called with `last` after each epoch, and with `best` where the dev loss is the lowest so
            far (without dev examples: after the last epoch).

    Yields:
        A report after each update, with steps and epochs counted from 1.

    Raises:
        UsageError: no examples, or nothing to tell a positive from.
        ArtifactError: the loss or a gradient is not finite.
    """
    _refuse_idle(examples, config)
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    prepare(retriever, config.dropout, config.freeze_embeddings, device)
    size = min(config.batch_size, len(examples))
    per_epoch = len(examples) // size
    steps = per_epoch * config.epochs
    _count_gaps(counts, config.batch_size - size, len(examples) - per_epoch * size)
    warmup = steps // 10 if config.warmup_steps is None else config.warmup_steps
    optimiser = Optimiser(
        (retriever.question, retriever.passage),
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        warmup_steps=warmup,
        steps=steps,
    )
    tokens = retriever.tokens
    lowest = math.inf
    for epoch in range(config.epochs):
        order = examples.order(config.seed, epoch)
        for number in range(per_epoch):
            began = time.perf_counter()
            rows = order[number * size : (number + 1) * size]
            picks = [examples.draw(row, config.hard_negatives, config.seed, epoch) for row in rows]
            rate = optimiser.learning_rate
            step = epoch * per_epoch + number
            done = update(
                retriever, lay_out(picks, tokens), tokens.pad, optimiser, precision, config.seed + step
            )
            speed = size / (time.perf_counter() - began)
            validation, best = None, False
            if number == per_epoch - 1:
                save("last")
                if dev is not None:
                    validation = validate(retriever, dev, config.batch_size, config.hard_negatives, precision)
                    best = validation.loss < lowest or epoch == 0
                    lowest = min(lowest, validation.loss)
                if best or (dev is None and epoch == config.epochs - 1):
                    save("best")
            yield StepReport(
                step + 1, steps, epoch + 1, done.loss, done.correct / size, rate, done.gradient_norm, speed,
                validation, best,
            )  # fmt: skip


def _count_gaps(counts: Counter[str], short: int, left_over: int) -> None:
    if short:
        counts["questions short of one full batch"] += short
    if left_over:
        counts["questions left over in each epoch"] += left_over


def _refuse_idle(examples: ExampleSpool, config: TrainConfig) -> None:
    if not len(examples):
        raise UsageError("no training example is left to train on; the counts say why they were dropped")
    alone = min(config.batch_size, len(examples)) == 1
    rows = range(len(examples))
    if alone and not any(examples.first(row, config.hard_negatives).negatives for row in rows):
        raise UsageError(
            "a batch of one question without negatives has nothing to learn from (every loss is 0):"
            " raise --batch-size to 2 or more, or give examples with hard negatives"
        )

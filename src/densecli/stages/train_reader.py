"""Training of the reader: search results in, a report per update out, models saved on the way."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from densecli.configs.training import TrainReaderConfig
from densecli.encoders.torch_hardware import pick_device, pick_precision
from densecli.errors import UsageError
from densecli.reader.examples import draw, reader_examples, sample
from densecli.reader.torch_folder import TorchReader
from densecli.reader.torch_update import accumulate_gradients
from densecli.reader.torch_validation import DevQuestions
from densecli.records import RankedList
from densecli.training.examples import ExampleSpool
from densecli.training.optimise import Optimiser
from densecli.training.report import StepReport, refuse_infinite
from densecli.training.validation import Validation


def train_reader(
    ranked: Iterable[RankedList],
    dev: Iterable[RankedList] | None,
    reader: TorchReader,
    config: TrainReaderConfig,
    counts: Counter[str],
    save: Callable[[str], None],
) -> Iterator[StepReport]:
    """Train a reader in place (paper, section 6.1).

    Args:
        ranked: search results with text and answers; read once, kept in a temporary file.
        dev: search results for validation after each epoch, or None; `config.dev_questions` are taken.
        reader: from `open_reader_base`; its model is changed.
        config: hyper-parameters.
        counts: filled with what is left out, and why.
        save: called with `last` after each epoch, and with `best` where exact match on the dev questions
            is the highest so far, or as high with a lower loss (without dev: after the last epoch).

    Yields:
        A report after each update, with steps and epochs counted from 1. `accuracy` is the share of
        questions whose positive passage is the most relevant, that of a validation is exact match.

    Raises:
        UsageError: no question can be trained on, or no dev question has answers.
        InputError: the passages have no text.
        ArtifactError: the loss or a gradient is not finite.
    """
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    tokens = reader.tokens
    examples = ExampleSpool(reader_examples(ranked, tokens, config.max_tokens, config.depth, counts), counts)
    if not len(examples):
        raise UsageError("no question is left to train on; the counts say why they were dropped")
    held_out = None if dev is None else DevQuestions(dev, reader, config, precision)
    reader.model.prepare(config.dropout, config.freeze_embeddings, device)
    per_epoch = math.ceil(len(examples) / config.batch_size)
    steps = per_epoch * config.epochs
    optimiser = Optimiser(
        [reader.model],
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        warmup_steps=steps // 10 if config.warmup_steps is None else config.warmup_steps,
        steps=steps,
    )
    best = -1.0, -math.inf
    for epoch in range(config.epochs):
        order = examples.order(config.seed, epoch)
        for number in range(per_epoch):
            began = time.perf_counter()
            step = epoch * per_epoch + number
            batch = []
            for row in order[number * config.batch_size : (number + 1) * config.batch_size]:
                example = examples[row]
                chosen = draw(example, config.passages, config.seed, epoch, row)
                batch.append(sample(example, chosen, tokens, config.max_tokens, config.max_spans))
            rate = optimiser.learning_rate
            done = accumulate_gradients(reader.model, batch, tokens.pad, precision, config.seed + step)
            refuse_infinite(done.loss, "loss", [one.id for one in batch])
            norm = optimiser.clip()
            refuse_infinite(norm, "gradient", [one.id for one in batch])
            optimiser.step()
            speed = len(batch) / (time.perf_counter() - began)
            validation, better = None, False
            if number == per_epoch - 1:
                save("last")
                if held_out is not None:
                    score = held_out.read()
                    validation = Validation(score.loss, score.exact_match, score.questions)
                    reached = validation.accuracy, -validation.loss
                    better = reached > best
                    best = max(best, reached)
                if better or (held_out is None and epoch == config.epochs - 1):
                    save("best")
            yield StepReport(
                step + 1, steps, epoch + 1, done.loss, done.correct / len(batch), rate, norm, speed,
                validation, better,
            )  # fmt: skip

"""Training of the reader: search results in, a report per update out, checkpoints on the way."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from densecli.configs.training import TrainReaderConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_hardware import pick_device, pick_precision
from densecli.errors import UsageError
from densecli.models.tokens import Tokens
from densecli.observer import SILENT, Observer
from densecli.reader.examples import draw, foremost, reader_examples, sample
from densecli.reader.torch_folder import TorchReader
from densecli.reader.torch_forward import FullShape
from densecli.reader.torch_update import accumulate_gradients
from densecli.reader.torch_validation import DevQuestions
from densecli.records import RankedList, TrainingExample
from densecli.training.checkpoint import Checkpointer, TrainState
from densecli.training.example_cache import ExampleCache, PreparedExamples
from densecli.training.examples import ExampleSpool
from densecli.training.filtering import no_examples_error
from densecli.training.joint import JointRetriever
from densecli.training.optimizer import Optimizer
from densecli.training.report import Measures, StepReport, StepResult, refuse_infinite
from densecli.training.run import TrainPlan, Validated, run


def train_reader(
    sets: Sequence[Iterable[RankedList]],
    dev: Iterable[RankedList] | None,
    reader: TorchReader,
    config: TrainReaderConfig,
    counts: Counter[str],
    checkpointer: Checkpointer,
    joint: Retriever | None = None,
    temperature: float = 1.0,
    observer: Observer = SILENT,
    gold_titles: Mapping[str, str] | None = None,
    cache: ExampleCache | None = None,
) -> Iterator[StepReport]:
    """Train a reader in place (paper, section 6.1), and a question tower with it (appendix D).

    Args:
        sets: search results with text and answers, one or several sets; read once, kept in a temporary
            file. `config.rates` says how often an epoch repeats each of them.
        dev: search results for validation after each epoch, or None; `config.dev_questions` are taken.
        reader: the reader from `open_reader_base`; its model is changed.
        config: hyper-parameters.
        counts: filled with what is dropped, and why.
        checkpointer: saves the training, and restores it to resume. The best model has the highest exact
            match on the dev questions, and among equals the lowest loss.
        joint: a retriever of two towers, whose question tower is changed by the same optimizer; the loss is
            then the reader's and the retriever's, and the reader draws from the foremost passages.
        temperature: the divisor of cosines in the retriever's own training.
        observer: receives a message about what is trained on.
        gold_titles: page that answers a question, by its `text_key` (`config.choice`).
        cache: where prepared examples are stored; the sets are read only if they are not there.

    Yields:
        A report after each update, with steps and epochs counted from 1. `accuracy` is the share of
        questions whose positive passage is the most relevant.

    Raises:
        UsageError: no question can be trained on, or no dev question has answers.
        InputError: the passages have no text.
        DivergedError: the loss or a gradient is not finite.
    """
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    tokens = reader.tokens
    prepared = cache.read() if cache else None
    if prepared is None:
        before = Counter(counts)
        examples, rows = _read_sets(sets, tokens, config, counts, joint is not None, gold_titles)
        if cache:
            # only what this preparation counted: the next training that takes it adds that to its own counts
            cache.write(PreparedExamples(examples, rows, counts - before))
    else:
        examples, rows = prepared.spool, prepared.rows
        counts.update(prepared.counts)
        observer.message(f"examples prepared before: {cache.path if cache else ''}")
    _count_used(examples, rows, config, counts)
    reader.model.prepare(config.dropout, config.freeze_embeddings, device)
    # behind it, since a batch is as large as suits the device
    held_out = None if dev is None else DevQuestions(dev, reader, config, precision)
    size = config.batch(len(examples))
    rates = config.rates or [1.0] * len(rows)
    repeats = [int(len(one) * rate) for one, rate in zip(rows, rates, strict=True)]
    # unlike for the retriever the last batch may be smaller, since no question is a negative for another
    per_epoch = math.ceil(sum(repeats) / size)
    epochs = config.passes(len(examples))
    observer.message(f"{len(examples):,} questions in batches of {size}, epochs: {epochs:,}")
    beside = None if joint is None else JointRetriever(joint, temperature, config, device, precision)
    config.check_warmup(per_epoch * epochs, observer.warning)
    full = FullShape.of(config)
    modules = [reader.model] if beside is None else [reader.model, beside.question]
    optimizer = Optimizer.of(modules, config, per_epoch * epochs, precision)

    def batches(epoch: int) -> Iterator[Sequence[int]]:
        order = epoch_order(rows, repeats, config.seed, epoch)
        return (order[start : start + size] for start in range(0, len(order), size))

    def learn(rows: Sequence[int], step: int) -> StepResult:
        batch = []
        drawn = [examples[row] for row in rows]
        for row, example in zip(rows, drawn, strict=True):
            source = example if beside is None else foremost(example, config.passages)
            chosen = draw(source, config.passages, config.seed, step, row)
            batch.append(sample(example, chosen, tokens, config.max_tokens, config.max_spans))
        done = accumulate_gradients(
            reader.model, batch, tokens.pad, precision, config.seed + step, optimizer.scale, full
        )
        refuse_infinite(done.loss, "loss", [one.id for one in batch])
        loss, parts = done.loss, {}
        if beside is not None:
            # both gradients are those of a mean over the batch, or with `reader_loss=dpr` of a sum
            weight = len(drawn) if full else 1
            found = beside.accumulate_gradients(
                drawn, config.seed + step, lambda loss: optimizer.scale(loss * weight)
            )
            loss, parts = done.loss + found, {"reader": done.loss, "retriever": found}
        norm = optimizer.clip()
        # with float16 an infinite gradient only means that the scale was too high
        if not optimizer.finds_scale:
            refuse_infinite(norm, "gradient", [one.id for one in batch])
        optimizer.step()
        inputs = {
            "passages": sum(len(one.rows) for one in batch),
            "passages cut": sum(one.cut for one in batch),
        }
        return StepResult(loss, done.correct, norm, inputs, parts)

    def validate(held_out: DevQuestions, retrieval: Callable[[], Measures]) -> Validated:
        score = held_out.read()
        return asdict(score) | {**retrieval()}, (score.exact_match, -score.loss)

    validated = None
    if held_out is not None:
        retrieval = dict if beside is None else beside.validation(held_out.examples)
        validated = partial(validate, held_out, retrieval)
    plan = TrainPlan(epochs, per_epoch, batches, learn, validated)
    yield from run(plan, TrainState(modules, optimizer), config, checkpointer, device)


def _read_sets(
    sets: Sequence[Iterable[RankedList]],
    tokens: Tokens,
    config: TrainReaderConfig,
    counts: Counter[str],
    count_titles: bool,
    gold_titles: Mapping[str, str] | None,
) -> tuple[ExampleSpool, list[range]]:
    """Return the examples of all sets, and the rows of each.

    Raises:
        UsageError: no question can be trained on.
    """
    examples, rows = ExampleSpool((), counts), []
    for ranked in sets:
        found = reader_examples(
            ranked, tokens, config.max_tokens, config.depth, counts, config.choice, gold_titles
        )
        rows.append(examples.add(_count_titles(found, counts) if count_titles else found, counts))
        if len(sets) > 1 and not rows[-1]:
            raise no_examples_error(
                f"no question of set {len(rows)} of {len(sets)} can be trained on", counts
            )
    if not len(examples):
        raise no_examples_error("no question is left to train on", counts)
    return examples, rows


def _count_used(
    examples: ExampleSpool, rows: Sequence[range], config: TrainReaderConfig, counts: Counter[str]
) -> None:
    """Count the questions, and those with too few negatives.

    Raises:
        UsageError: a set gives no question to an epoch.
    """
    for number, (one, rate) in enumerate(zip(rows, config.rates or [1.0] * len(rows), strict=True), 1):
        if not int(len(one) * rate):
            raise UsageError(
                f"set {number} of {len(rows)} has {len(one):,} questions, and at rate {rate:g} gives none to"
                " an epoch; leave it out, or raise its rate in `sampling_rates`"
            )
    counts["questions_trained_on"] = len(examples)
    asked = config.passages - 1
    short = sum(examples.negatives(row, 0, asked) < asked for row in range(len(examples)))
    if short:
        counts["questions_with_fewer_negatives"] = short


def epoch_order(sets: Sequence[range], repeats: Sequence[int], seed: int, epoch: int) -> list[int]:
    """Return the rows of an epoch (0-based), shuffled by seed and epoch alone.

    Args:
        sets: the rows of each set.
        repeats: how many rows each set gives to an epoch. A set gives all its rows again and again; of what
            is less than all, rows drawn by seed and epoch.
        seed: the seed of the order.
        epoch: the number of the epoch, from 0.
    """
    # a string, so that no epoch of one seed equals another epoch of another; Python hashes it the same
    # everywhere
    rng = random.Random(f"order {seed} {epoch}")
    order: list[int] = []
    for rows, count in zip(sets, repeats, strict=True):
        whole, rest = divmod(count, len(rows)) if rows else (0, 0)
        order += [*rows] * whole
        if rest:
            order += rng.sample(rows, rest)
    rng.shuffle(order)
    return order


def _count_titles(examples: Iterable[TrainingExample], counts: Counter[str]) -> Iterator[TrainingExample]:
    """Count passages without a title: where those of the index have one, their vectors are others."""
    for example in examples:
        passages = (*example.positives, *example.hard_negatives)
        counts["passages_without_title"] += sum(not passage.title for passage in passages)
        yield example

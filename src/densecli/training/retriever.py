"""Training of the two towers: examples in, a report per update out, checkpoints on the way."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_hardware import pick_device, pick_precision
from densecli.errors import UsageError
from densecli.observer import SILENT, Observer
from densecli.records import Question
from densecli.report.history import LEFT_OUT
from densecli.training.batches import Batch, lay_out
from densecli.training.checkpoint import Checkpointer, TrainState
from densecli.training.exact_search import ExactSearch
from densecli.training.examples import ExampleSpool
from densecli.training.filtering import no_examples_error
from densecli.training.forward import bytes_to_keep
from densecli.training.index_negatives import IndexNegatives
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.prepare import prepare
from densecli.training.question_batches import KnownExamples
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.report import StepReport, StepResult
from densecli.training.run import TrainPlan, Validated, run
from densecli.training.sampling import Source, epoch_batches
from densecli.training.search_validation import SearchValidator
from densecli.training.stored import Stored
from densecli.training.update import Further, update
from densecli.training.validation import Validator

INPUTS = ("questions", "questions cut", "passages", "passages cut")


def train(
    examples: ExampleSpool,
    dev: ExampleSpool | Sequence[Question] | None,
    retriever: Retriever,
    config: TrainConfig,
    counts: Counter[str],
    checkpointer: Checkpointer,
    sources: Sequence[Source] = (),
    ranks: ProcessGroup = ALONE,
    stored: Stored | None = None,
    observer: Observer = SILENT,
) -> Iterator[StepReport]:
    """Train both towers in place with in-batch and hard negatives (paper, section 3.2).

    Args:
        examples: training examples.
        dev: examples for validation after each epoch, or None; with `--validate-by search` questions.
        retriever: the retriever from `open_base`; its towers are changed.
        config: hyper-parameters.
        counts: filled with what is dropped.
        checkpointer: saves the training, and restores it to resume.
        sources: the sets that the examples are from; by default all are one set.
        ranks: the processes that train together; each is given all of the above, and only the first one's
            `checkpointer` is asked.
        stored: the vectors that a fixed passage tower made of a collection. Those of other passages are made
            once, before the first update.
        observer: receives the progress.

    Yields:
        A report after each update, with steps and epochs counted from 1.

    Raises:
        UsageError: no examples, or nothing to compare a positive with, or a set too small for its rate.
        DivergedError: the loss or a gradient is not finite.
    """
    sources = sources or [Source(range(len(examples)))]
    _refuse_idle(examples, sources, config)
    if config.distill:
        _check_taught(examples, sources, config, counts)
    device = pick_device(ranks.device(config.device))
    precision = pick_precision(config.precision, device)
    prepare(
        retriever,
        config.dropout,
        config.freeze_embeddings,
        device,
        config.fixed_passage_encoder,
        config.gradient_checkpointing,
    )
    per_epoch = sum(_batches(source, config.batch_size, counts) for source in sources)
    epochs = config.passes(sum(len(source.rows) for source in sources))
    objective = Objective.of(config, retriever.model_config.similarity)
    tokens = retriever.tokens
    known: KnownExamples | None = None
    index: IndexNegatives | None = None
    search = _exact_search(stored, config, dev is not None, device)
    if config.fixed_passage_encoder:
        drawn = (
            (epoch, number, rows)
            for epoch in range(epochs)
            for number, rows in enumerate(epoch_batches(sources, config.batch_size, config.seed, epoch))
        )
        # given all batches of the training, so that passages that are never drawn are not encoded
        known = KnownExamples(examples, drawn, config, retriever, stored, precision, ranks)
        known.encode(observer)
    if config.compares_index:
        assert known is not None
        index = _index_negatives(stored, search, known, retriever, objective, config, ranks)
    validator = _validator(dev, retriever, config, precision, ranks, stored, search, observer)
    towers = retriever.question, retriever.passage
    optimizer = Optimizer.of(towers, config, per_epoch * epochs, precision, ranks, config.average_gradients)
    keep = bytes_to_keep(config.activation_memory, device)

    def batch_of(rows: Sequence[int], epoch: int, number: int) -> tuple[Batch, Further | None]:
        own = ranks.part(len(rows))
        if known is None:
            negatives = config.other_negatives, config.hard_negatives
            given = examples.draw(rows, *negatives, config.seed, epoch, number, config.shuffle_positives)
            return lay_out(given, tokens, own), None
        picks = known.draw(epoch, number, rows)
        if index is None and config.max_positives == 1:
            return known.lay_out(picks, tokens, own), None
        batch = known.lay_out_several(picks, tokens, own)
        return batch, None if index is None else partial(index.compare, picks=picks)

    def learn(rows: Sequence[int], step: int) -> StepResult:
        # the counts of this update alone are reported
        tokens.counts.clear()
        batch, further = batch_of(rows, *divmod(step, per_epoch))
        done = update(
            retriever, batch, optimizer, precision, config.seed + step, objective, keep, ranks, further
        )
        counted = ranks.total(tokens.counts[name] for name in INPUTS)
        inputs = {name: int(count) for name, count in zip(INPUTS, counted, strict=True)}
        if left_out := batch.pairs_left_out(config.in_batch):
            inputs[LEFT_OUT] = left_out
        return StepResult(done.loss, done.correct, done.gradient_norm, inputs)

    def validate(validator: Validator | SearchValidator) -> Validated:
        found = validator.validate(retriever)  # outside of `share`, since all processes take part in it
        # two machines may differ in the last bit, but must agree on what is best and when to stop
        measures, rank = ranks.share(lambda: found)
        return measures, tuple(rank)

    plan = TrainPlan(
        epochs,
        per_epoch,
        lambda epoch: epoch_batches(sources, config.batch_size, config.seed, epoch),
        learn,
        None if validator is None else partial(validate, validator),
    )
    state = TrainState(towers, optimizer)
    yield from run(plan, state, config, checkpointer, device, ranks)


def _exact_search(
    stored: Stored | None, config: TrainConfig, validates: bool, device: torch.device
) -> ExactSearch | None:
    """Open the stored vectors for training and validation together: on a GPU they are copied to it.

    Raises:
        ArtifactError: a shard is missing or damaged.
    """
    if stored is None or not (config.compares_index or (validates and config.validate_by == "search")):
        return None
    return ExactSearch(stored.vectors, device)


def _index_negatives(
    stored: Stored | None,
    search: ExactSearch | None,
    known: KnownExamples,
    retriever: Retriever,
    objective: Objective,
    config: TrainConfig,
    ranks: ProcessGroup,
) -> IndexNegatives:
    if stored is None or search is None:
        raise UsageError("`index_negatives` needs the stored vectors of a collection")
    if config.index_depth is None and objective.similarity == "l2":
        raise UsageError(
            "`index_negatives=all` is for `similarity` dot and cosine; with l2 name a number of negatives"
        )
    return IndexNegatives(stored, search, known.vectors, retriever.question, objective, config, ranks)


def _validator(
    dev: ExampleSpool | Sequence[Question] | None,
    retriever: Retriever,
    config: TrainConfig,
    precision: torch.dtype,
    ranks: ProcessGroup,
    stored: Stored | None,
    search: ExactSearch | None,
    observer: Observer,
) -> Validator | SearchValidator | None:
    if dev is None:
        return None
    if not isinstance(dev, ExampleSpool):
        if stored is None or search is None:
            raise UsageError("`validate_by=search` needs the stored vectors of a collection")
        return SearchValidator(dev, stored, search, config, precision, ranks)
    known: KnownExamples | None = None
    if config.fixed_passage_encoder:
        known = KnownExamples(dev, None, config, retriever, stored, precision, ranks)
        known.encode(observer)
    return Validator(dev, config, precision, ranks, known, stored)


def _batches(source: Source, batch_size: int, counts: Counter[str]) -> int:
    size, number = source.size(batch_size), source.batches(batch_size)
    if not number:
        raise UsageError(
            f"{source.name}: {len(source.rows):,} examples at rate {source.rate:g} make no batch of {size:,};"
            " leave it out, or raise its rate in `sampling_rates`"
        )
    if size < batch_size:
        counts["questions_short_of_a_batch"] += batch_size - size
    left_over = len(source.rows) - number * size
    if left_over > 0:
        counts["questions_left_over_per_epoch"] += left_over
    return number


def _check_taught(
    examples: ExampleSpool, sources: Sequence[Source], config: TrainConfig, counts: Counter[str]
) -> None:
    most = config.max_positives or 1
    drawn = most, config.shuffle_positives, config.other_negatives or 0, config.hard_negatives
    rows = [row for source in sources for row in source.rows]
    taught = sum(examples.is_taught(row, *drawn) for row in rows)
    if not taught:
        raise UsageError(
            "`distill` needs teacher scores: no example has a teacher_score for its positive and for each"
            " negative that may be drawn"
        )
    if taught < len(rows):
        counts["examples_without_teacher_scores"] = len(rows) - taught


def _refuse_idle(examples: ExampleSpool, sources: Sequence[Source], config: TrainConfig) -> None:
    if not any(source.rows for source in sources):
        raise no_examples_error("no training example is left to train on", examples.dropped)
    if config.compares_index:
        return
    negatives = config.other_negatives, config.hard_negatives
    alone = (source.rows for source in sources if not config.in_batch or source.size(config.batch_size) == 1)
    idle = (not any(examples.negatives(row, *negatives) for row in rows) for rows in alone)
    if any(idle):
        raise UsageError(
            "a batch of one question without negatives has nothing to learn from (every loss is 0), nor has"
            " one with `in_batch=False`: raise `batch_size` to 2 or more, or ask for `hard_negatives` or"
            " `other_negatives` that the examples have"
        )

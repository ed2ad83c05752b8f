"""Training a retriever: examples to the question and the passage encoder (paper, section 3.2)."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from densecli.artifacts.building import returns_artifact
from densecli.artifacts.kinds import RetrieverManifest
from densecli.artifacts.manifest import describe_input
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.presets import preset_values
from densecli.configs.resolve import resolve_config
from densecli.configs.training import TrainConfig
from densecli.errors import UsageError
from densecli.models.folder import RetrieverConfig, fingerprint, is_model_folder, read_model_config
from densecli.observer import SILENT, Observer
from densecli.records import Question, TrainingExample
from densecli.training.stored import find_stored
from densecli.workflows.checkpointer import Checkpointer, resumable
from densecli.workflows.datasets import choose_dataset
from densecli.workflows.fitting import check_validation, describe_hardware, follow_training
from densecli.workflows.models import base_folder, describe_model
from densecli.workflows.record_sets import Records, RecordSets, as_record_set
from densecli.workflows.reporting import collect_bad_records
from densecli.workflows.training_data import (
    find_excluded,
    find_mined_set,
    find_training_sets,
    question_keys,
    read_dev_set,
    read_training_sets,
)

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup

T = TypeVar("T")


@returns_artifact
def train(
    training_examples: RecordSets[TrainingExample] | None = None,
    *,
    dev: Records[TrainingExample] | Records[Question] | None = None,
    vectors: Path | None = None,
    passages: Path | None = None,
    workspace: Workspace | Path | str | None = None,
    output: Path | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    exclude: RecordSets[Question] = (),
    save_every: int | None = None,
    tensorboard: Path | None = None,
    force: bool = False,
    ranks: "ProcessGroup | None" = None,
    stop_requested: Callable[[], bool] = lambda: False,
    config: TrainConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Path:
    """Train the question and the passage encoder.

    An interrupted training resumes where it was last saved, if inputs and settings are the same. A batch
    never mixes several sets. A question that is also a test question is dropped and counted.

    Args:
        training_examples: the path of a file, the name of a set made by `mine_negatives`, or the examples
            themselves; several of these are several sets. By default it is the only set in the workspace.
        dev: examples to validate on after each epoch (with `validate_by="search"` questions with answers);
            the best model is kept.
        vectors: vectors that a fixed passage encoder made, used instead of encoding passages again; by
            default the workspace's, where they fit.
        passages: passage store of `vectors`, in place of the workspace's.
        workspace: its folder; by default the nearest `.densecli`.
        output: folder to write; by default `retriever` in the workspace.
        dataset: a dataset of the paper, in place of examples.
        split: its split; by default train.
        data_dir: folder with files of the dataset.
        exclude: questions to leave out, in addition to the test questions of the paper's datasets.
        save_every: updates between two checkpoints; by default ten minutes, or an epoch of a minute or more.
        tensorboard: folder for TensorBoard's files.
        force: replace a model, or an interrupted training, from other inputs or settings.
        ranks: the processes that train together, from `ProcessGroup.join()`. Each of them calls this
            function with the same arguments; the first one writes and reports.
        stop_requested: asked before the first update and after each one; when it says yes, the training is
            saved and raises Interrupted.
        config: how to train.
        observer: receives messages, warnings and progress.
        **settings: fields of TrainConfig, such as `encoder="starter"` or `epochs=3`.

    Returns:
        The folder of the retriever.

    Raises:
        ArtifactError: the encoder or the examples are missing, the output was made from other inputs or
            settings and `force` is off.
        DivergedError: the loss or a gradient is not finite.
        InputError: examples cannot be read.
        UsageError: a setting has no effect, or no example is left.
        Interrupted: `stop_requested` said yes.

    Example:
        >>> train("nq-train.json", dev="nq-dev.json", workspace="nq", preset="paper")
        Artifact(folder=PosixPath('nq/retriever'), up_to_date=False)
    """
    config = resolve_config(TrainConfig, "train", config, settings)
    check_validation(settings, dev, tensorboard)
    if not config.distill and "teacher_temperature" in settings:
        raise UsageError("`teacher_temperature` has an effect only with `distill`")
    if "average_gradients" in settings and (ranks is None or ranks.world == 1):
        raise UsageError("`average_gradients` has an effect only where several processes train")
    home = find_workspace(workspace)
    if ranks is not None and not ranks.first:
        observer = SILENT
    choice = choose_dataset(home, dataset, split, data_dir, "train")
    given = config
    sets, config = _in_turn(
        ranks, lambda: find_training_sets(home, given, choice, training_examples, observer)
    )
    by_search = config.validate_by == "search"
    kind, name = (Question, "dev questions") if by_search else (TrainingExample, "dev examples")
    dev_set = None if dev is None else find_mined_set(home, as_record_set(dev, kind, name))
    encoder = config.encoder
    base = _in_turn(ranks, lambda: base_folder(encoder, "retriever"))
    config = _keep_lengths(config, settings, base)
    excluded = find_excluded(home, choice, exclude, observer)
    stored = find_stored(home, config, base, passages, vectors, observer)
    inputs = [
        *(one.describe("train") for one in sets),
        *([dev_set.describe("dev")] if dev_set else []),
        *(one.describe("exclude") for one in excluded),
        describe_model(base),
        *([] if stored is None else [describe_input(stored.vectors.folder)]),
    ]
    target = output or home.retriever
    with resumable(RetrieverManifest, "train", target, config, inputs, force, observer, ranks, home) as build:
        # these load torch: not for "up to date"
        from densecli.encoders.torch_save import save_retriever
        from densecli.training.prepare import open_to_train
        from densecli.training.ranks import ALONE
        from densecli.training.retriever import train as train_retriever

        ranks = ranks or ALONE
        bad = collect_bad_records(config.on_error, observer)
        data = read_training_sets(sets, config, question_keys(excluded), build.counts, bad)
        dropped: Counter[str] = Counter()
        held_out = read_dev_set(dev_set, config, dropped, bad) if dev_set else None
        build.counts.update({f"dev_{name}": count for name, count in dropped.items()})
        build.counts.update(bad.counts)
        retriever = open_to_train(str(base), config)
        similarity = retriever.model_config.similarity
        _check_temperature(settings, similarity, base)
        observer.message(
            f"training on {len(data):,} examples from {base}, {retriever.model_config.pooling} pooling,"
            f" {similarity}, epochs: {config.passes(len(data)):,} ({describe_hardware(config, ranks)})"
        )
        for warning in data.warnings(config):
            observer.warning(warning)
        write = partial(save_retriever, retriever)
        checkpointer = Checkpointer(build, write, observer, save_every, tensorboard, stop_requested)
        reports = train_retriever(
            data.spool, held_out, retriever, config, build.counts, checkpointer, data.sources, ranks, stored,
            observer,
        )  # fmt: skip
        if not ranks.first:
            deque(reports, maxlen=0)
            return target
        training = follow_training("train", reports, checkpointer, observer)
        checkpointer.finish()
        build.counts["examples"] = len(data)
        build.manifest = RetrieverManifest(
            fingerprint=fingerprint(build.folder),
            training=replace(training, epochs=config.passes(len(data)), sets=data.describe(config, home)),
            temperature=config.temperature,
        )
    return target


def _in_turn(ranks: "ProcessGroup | None", do: Callable[[], T]) -> T:
    """Do something in each process, but not at once: what the first fetches, the others find."""
    return do() if ranks is None else ranks.in_turn(do)


def _check_temperature(settings: Mapping[str, Any], similarity: str, base: Path) -> None:
    if similarity != "cosine" and "temperature" in settings:
        raise UsageError(
            f"`temperature` has no effect: {base} is trained with {similarity} similarity; add"
            " `similarity=cosine`"
        )


def _keep_lengths(config: TrainConfig, settings: Mapping[str, Any], base: Path) -> TrainConfig:
    """Return settings with the lengths of questions and passages that a retriever was made with.

    Its vectors belong to these lengths: those of stored passages, and where a `[SEP]` ends them at
    the last position, all of them. A length that was asked for stays, and is checked later.
    """
    if not is_model_folder(base):
        return config
    settings = {**preset_values(TrainConfig, "train", config.preset, ()), **settings}
    made, usual = read_model_config(base, RetrieverConfig), TrainConfig()
    lengths = {
        name: getattr(made, name)
        for name in ("max_question_tokens", "max_passage_tokens")
        if name not in settings and getattr(config, name) == getattr(usual, name)
    }
    return replace(config, **lengths)

"""Training a reader: search results to an extractive reader (paper, section 6.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.artifacts.building import returns_artifact
from densecli.artifacts.manifest import Manifest, describe_input, read_row
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.resolve import resolve_config
from densecli.configs.training import TrainConfig, TrainReaderConfig
from densecli.errors import UsageError
from densecli.models.folder import fingerprint
from densecli.observer import SILENT, Observer
from densecli.records import Question, RankedList
from densecli.training.filtering import without_questions
from densecli.workflows.checkpointer import Checkpointer, resumable
from densecli.workflows.fitting import check_validation, describe_hardware, follow_training
from densecli.workflows.models import base_folder
from densecli.workflows.record_sets import Records, RecordSet, RecordSets, as_record_set, as_record_sets
from densecli.workflows.reporting import collect_bad_records
from densecli.workflows.training_data import find_excluded, question_keys, read_result_sets

if TYPE_CHECKING:
    from densecli.encoders.torch_base import Retriever

JOINT_RETRIEVER = "retriever"
"""Folder of the retriever in that of a reader with which it was trained."""


@returns_artifact
def train_reader(
    results: RecordSets[RankedList],
    *,
    dev: Records[RankedList] | None = None,
    workspace: Workspace | Path | str | None = None,
    output: Path | None = None,
    joint: str | None = None,
    exclude: RecordSets[Question] = (),
    save_every: int | None = None,
    tensorboard: Path | None = None,
    force: bool = False,
    stop_requested: Callable[[], bool] = lambda: False,
    config: TrainReaderConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Path:
    """Train the reader on search results, and a retriever's question encoder with it if `joint` names one.

    An interrupted training resumes where it was last saved, if inputs and settings are the same. A question
    that is also a test question is dropped and counted.

    Args:
        results: search results with texts for questions with answers: the path of a file, or the results
            themselves; or several of these.
        dev: search results to validate on after each epoch; the best reader is kept.
        workspace: its folder; by default the nearest `.densecli`.
        output: folder to write; by default `reader` in the workspace.
        joint: folder or Hub name of a retriever, or `starter`. Its question encoder is trained too (paper,
            appendix D); the new retriever is `retriever` in the output. Vectors and index of the old one fit.
        exclude: questions to leave out, beside the test questions of the paper's datasets.
        save_every: updates between two checkpoints; by default ten minutes, or an epoch of a minute or more.
        tensorboard: folder for TensorBoard's files.
        force: replace a reader, or an interrupted training, from other inputs or settings.
        stop_requested: asked before the first update and after each one; when it says yes, the training is
            saved and raises Interrupted.
        config: how to train.
        observer: receives messages, warnings and progress.
        **settings: fields of TrainReaderConfig, such as `encoder="starter"` or `passages=24`.

    Raises:
        ArtifactError: a model is missing, the output was built otherwise, or the loss is not finite.
        InputError: results cannot be read, or their passages have no texts.
        UsageError: a setting has no effect, no question is left, or the retriever has one encoder for
            questions and passages.
        Interrupted: `stop_requested` said yes.
    """
    config = resolve_config(TrainReaderConfig, "train-reader", config, settings)
    check_validation(settings, dev, tensorboard)
    _check_passages(settings, config)
    home = find_workspace(workspace)
    result_sets = as_record_sets(results, RankedList, "search results")
    dev_set = None if dev is None else as_record_set(dev, RankedList, "dev results")
    base = base_folder(config.encoder, "reader")
    excluded = find_excluded(home, None, exclude, observer)
    joint_base = None if joint is None else base_folder(joint, "retriever")
    records: list[RecordSet[Any]] = [*result_sets, *([dev_set] if dev_set else []), *excluded]
    models = [base, joint_base] if joint_base else [base]
    inputs = [*(one.describe() for one in records), *map(describe_input, models)]
    target = output or home.reader
    with resumable("train-reader", target, config, inputs, force, observer, home=home) as build:
        # these load torch: not for "up to date"
        from densecli.reader.torch_folder import open_reader_base, save_reader
        from densecli.training.ranks import ALONE
        from densecli.training.reader import train_reader as train_model

        types = None if config.token_types == "auto" else config.token_types
        reader = open_reader_base(str(base), config.max_tokens, config.max_answer_tokens, config.seed, types)
        retriever = _JointRetriever.open(joint_base) if joint_base else None

        def write(folder: Path) -> None:
            save_reader(reader, folder)
            if retriever is not None:
                retriever.write(folder / JOINT_RETRIEVER)

        jointly = f", and the question encoder of {joint_base} with it" if joint_base else ""
        observer.message(f"training a reader from {base}{jointly} ({describe_hardware(config, ALONE)})")
        bad = collect_bad_records(config.on_error, observer)
        found = read_result_sets(result_sets, bad, config.depth)
        dev_depth = min(config.depth, config.dev_depth)
        checkpointer = Checkpointer(build, config, write, observer, save_every, tensorboard, stop_requested)
        reports = train_model(
            without_questions(found, question_keys(excluded), build.counts),
            read_result_sets([dev_set], bad, dev_depth) if dev_set else None,
            reader,
            config,
            build.counts,
            checkpointer,
            retriever.retriever if retriever else None,
            retriever.temperature if retriever else 1.0,
            observer,
        )
        build.facts = follow_training("train-reader", reports, checkpointer, observer)
        build.counts.update(bad.counts)
        checkpointer.finish()
        build.fingerprint = fingerprint(build.folder)
        if joint_base:
            build.parents = {"retriever": fingerprint(joint_base)}
            build.facts = {**build.facts, "retriever": fingerprint(build.folder / JOINT_RETRIEVER)}
    return target


def _check_passages(settings: Mapping[str, Any], config: TrainReaderConfig) -> None:
    if config.passages > config.depth and {"passages", "depth"} <= settings.keys():
        raise UsageError(
            f"--passages {config.passages:,} cannot be sampled from --depth {config.depth:,}:"
            " raise --depth, or lower --passages"
        )


@dataclass(frozen=True)
class _JointRetriever:
    """An open retriever, and what its cosines were divided by when it was trained."""

    retriever: "Retriever"
    temperature: float

    @classmethod
    def open(cls, folder: Path) -> "_JointRetriever":
        """Open the retriever in `folder`; without a known temperature it has the default.

        Raises:
            ArtifactError: it is no densecli retriever, or incomplete or damaged.
            UsageError: it has one encoder for questions and passages.
        """
        from densecli.training.joint import open_joint  # loads torch

        made = (read_row(folder) or {}).get("config", {})
        return cls(open_joint(folder), float(made.get("temperature") or TrainConfig.temperature))

    def write(self, folder: Path) -> None:
        """Write the retriever, as it is now, into a folder."""
        from densecli.encoders.torch_save import save_retriever  # loads torch

        save_retriever(self.retriever, folder)
        Manifest("train-reader", {"temperature": self.temperature}, fingerprint(folder)).write(folder)

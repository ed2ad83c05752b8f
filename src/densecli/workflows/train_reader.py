"""Training a reader: search results to an extractive reader (paper, section 6.1)."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.artifacts.building import returns_artifact
from densecli.artifacts.kinds import ReaderManifest, RetrieverManifest
from densecli.artifacts.manifest import outline, read_manifest
from densecli.artifacts.recipe import Input, Recipe
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.resolve import resolve_config
from densecli.configs.training import TrainConfig, TrainReaderConfig
from densecli.errors import UsageError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_mining_input import read_mining_input
from densecli.models.folder import fingerprint
from densecli.models.reader_heads import ENCODER
from densecli.observer import SILENT, Observer
from densecli.records import Context, Question, RankedList, TrainingExample
from densecli.text.same_text import text_key
from densecli.training.filtering import without_questions
from densecli.workflows.checkpointer import Checkpointer, resumable
from densecli.workflows.collection import Collection, open_collection
from densecli.workflows.fitting import check_validation, describe_hardware, follow_training
from densecli.workflows.models import base_folder, describe_model
from densecli.workflows.record_sets import Records, RecordSet, RecordSets, as_record_set, as_record_sets
from densecli.workflows.reporting import collect_bad_records
from densecli.workflows.training_data import check_rates, find_excluded, question_keys, read_result_sets

if TYPE_CHECKING:
    from densecli.encoders.torch_base import Retriever
    from densecli.reader.torch_folder import TorchReader
    from densecli.training.example_cache import ExampleCache

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
    init: str | None = None,
    gold: Records[TrainingExample] | None = None,
    negatives_from: Workspace | Path | str | None = None,
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
        results: search results with texts for questions with answers, or SQuAD's articles: the path of a
            file, or the results themselves; or several of these. In SQuAD's articles the answers are where
            they are marked, and nowhere else.
        dev: search results to validate on after each epoch; the best reader is kept.
        workspace: its folder; by default the nearest `.densecli`.
        output: folder to write; by default `reader` in the workspace.
        joint: folder or Hub name of a retriever, or `starter`. Its question encoder is trained too (paper,
            appendix D); the new retriever is `retriever` in the output. Vectors and index of the old one fit.
        init: folder of a reader to continue from, in place of `encoder`.
        gold: questions with the passage that answers them; for `choice="dpr"` the titles of the pages.
        negatives_from: workspace of a collection. It is searched for the questions of SQuAD's articles; what
            holds no answer is added as negatives.
        exclude: questions to leave out, in addition to the test questions of the paper's datasets.
        save_every: updates between two checkpoints; by default ten minutes, or an epoch of a minute or more.
        tensorboard: folder for TensorBoard's files.
        force: replace a reader, or an interrupted training, from other inputs or settings.
        stop_requested: asked before the first update and after each one; when it says yes, the training is
            saved and raises Interrupted.
        config: how to train.
        observer: receives messages, warnings and progress.
        **settings: fields of TrainReaderConfig, such as `encoder="starter"` or `passages=24`.

    Returns:
        The folder of the reader.

    Raises:
        ArtifactError: a model is missing, the output was made from other inputs
            or settings and `force` is off.
        DivergedError: the loss or a gradient is not finite.
        InputError: results cannot be read, or their passages have no texts.
        UsageError: a setting has no effect, no question is left, or the retriever has one encoder for
            questions and passages.
        Interrupted: `stop_requested` said yes.

    Example:
        >>> train_reader("found.jsonl", workspace="nq", encoder="bert-base-uncased")
        Artifact(folder=PosixPath('nq/reader'), up_to_date=False)
    """
    config = resolve_config(TrainReaderConfig, "train-reader", config, settings)
    check_validation(settings, dev, tensorboard)
    _check_passages(settings, config)
    home = find_workspace(workspace)
    result_sets = as_record_sets(results, RankedList, "search results")
    dev_set = None if dev is None else as_record_set(dev, RankedList, "dev results")
    base = _base(config, settings, init)
    excluded = find_excluded(home, None, exclude, observer)
    joint_base = None if joint is None else base_folder(joint, "retriever")
    gold_set = None if gold is None else as_record_set(gold, TrainingExample, "gold passages")
    if gold is not None and config.choice != "dpr":
        raise UsageError("`gold` has an effect only with `choice` dpr")
    check_rates(config, result_sets)
    collection = (
        None if negatives_from is None else open_collection(negatives_from, single=False, observer=observer)
    )
    optional = {"dev": dev_set, "gold": gold_set}
    inputs = [
        *(one.describe("train") for one in result_sets),
        *(one.describe(role) for role, one in optional.items() if one is not None),
        *(one.describe("exclude") for one in excluded),
        *map(describe_model, [base, joint_base] if joint_base else [base]),
    ]
    if collection is not None:
        inputs.append(Input(str(negatives_from), collection.fingerprint))
    target = output or home.reader
    with resumable(
        ReaderManifest, "train-reader", target, config, inputs, force, observer, home=home
    ) as build:
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
        found = [read_result_sets([one], bad, config.depth) for one in result_sets]
        if collection is not None:
            unmarked = _Unmarked(len(found), observer)
            found = [with_negatives(one, collection, config.depth, unmarked.add) for one in found]
        dev_depth = min(config.depth, config.dev_depth)
        checkpointer = Checkpointer(build, write, observer, save_every, tensorboard, stop_requested)
        left_out = question_keys(excluded)
        reports = train_model(
            [without_questions(one, left_out, build.counts) for one in found],
            read_result_sets([dev_set], bad, dev_depth) if dev_set else None,
            reader,
            config,
            build.counts,
            checkpointer,
            retriever.retriever if retriever else None,
            retriever.temperature if retriever else 1.0,
            observer,
            None if gold_set is None else _gold_titles(gold_set, bad),
            _cache(home, config, inputs, reader, joint is not None),
        )
        training = follow_training("train-reader", reports, checkpointer, observer)
        build.counts.update(bad.counts)
        checkpointer.finish()
        build.manifest = ReaderManifest(
            fingerprint=fingerprint(build.folder),
            retriever=fingerprint(joint_base) if joint_base else "",
            joint_retriever=fingerprint(build.folder / JOINT_RETRIEVER) if joint_base else None,
            training=training,
        )
    return target


def _cache(
    home: Workspace, config: TrainReaderConfig, inputs: Sequence[Input], reader: "TorchReader", joint: bool
) -> "ExampleCache | None":
    """Return where prepared examples are kept; None if an input is a pipe, or lines may be skipped."""
    from densecli.training.example_cache import ExampleCache  # loads torch

    if config.on_error == "skip" or not all(one.sha256 for one in inputs):
        return None
    settings = reader.tokenizer.to_str(), config.max_tokens, config.depth, config.choice, joint
    made_from = [(one.role, one.sha256) for one in inputs]
    return ExampleCache(home.cache / "train-reader", [*made_from, *settings])


def with_negatives(
    ranked: Iterable[RankedList], collection: Collection, depth: int, none_marked: Callable[[], object]
) -> Iterator[RankedList]:
    """Yield results. Those that mark their answers get what a collection has found, up to `depth` passages.

    Passages that hold an answer, or equal one that is there, are left out. `none_marked` is called at the end
    if no result marks its answers.
    """
    waiting: deque[RankedList] = deque()
    any_marked = False

    def asked() -> Iterator[Question]:
        for one in ranked:
            waiting.append(one)
            yield one.question

    for found in collection.search(asked(), depth):
        one = waiting.popleft()
        marked = any(isinstance(ctx.passage, Context) and ctx.passage.answer_spans for ctx in one.ctxs)
        if not marked:
            yield one
            continue
        any_marked = True
        known = {text_key(ctx.passage.text) for ctx in one.ctxs}
        others = [ctx for ctx in found.ctxs if not ctx.has_answer and text_key(ctx.passage.text) not in known]
        yield replace(one, ctxs=(*one.ctxs, *others)[:depth])
    if not any_marked:
        none_marked()


class _Unmarked:
    """Counts sets of results that mark no answers, and warns if none of them does."""

    def __init__(self, sets: int, observer: Observer) -> None:
        self._left = sets
        self._observer = observer

    def add(self) -> None:
        self._left -= 1
        if not self._left:
            self._observer.warning("no passage marks its answers, so `negatives_from` adds no negatives")


def _base(config: TrainReaderConfig, settings: Mapping[str, Any], init: str | None) -> Path:
    if init is None:
        return base_folder(config.encoder, "reader")
    if "encoder" in settings:
        raise UsageError("`init` and `encoder` contradict each other: `init` continues from a whole reader")
    folder = base_folder(init, "reader")
    if not (folder / ENCODER).is_dir():
        raise UsageError(f"`init` {init} is not a reader; name it as `encoder` to start a reader from it")
    return folder


def _gold_titles(gold: RecordSet[TrainingExample], bad: BadRecords) -> dict[str, str]:
    """Return the title of the page that answers a question, by the question's key."""
    examples = read_mining_input(gold.name, bad=bad) if gold.records is None else gold.records
    return {
        text_key(one.question.question): one.positives[0].title
        for one in examples
        if one.positives and one.positives[0].title
    }


def _check_passages(settings: Mapping[str, Any], config: TrainReaderConfig) -> None:
    if config.passages > config.depth and {"passages", "depth"} <= settings.keys():
        raise UsageError(
            f"`passages` {config.passages:,} cannot be sampled from `depth` {config.depth:,}:"
            " raise `depth`, or lower `passages`"
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

        opened = open_joint(folder)
        known = outline(folder) is not None and read_manifest(folder, RetrieverManifest).temperature
        return cls(opened, known or TrainConfig.temperature)

    def write(self, folder: Path) -> None:
        """Write the retriever, as it is now, into a folder."""
        from densecli.encoders.torch_save import save_retriever  # loads torch

        save_retriever(self.retriever, folder)
        made = RetrieverManifest(
            fingerprint=fingerprint(folder), recipe=Recipe("train-reader"), temperature=self.temperature
        )
        made.write(folder)

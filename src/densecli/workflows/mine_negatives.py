"""Mining: questions to training examples with positives and hard negatives (paper, sections 3.2 and 4.2)."""

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from densecli.artifacts.building import Building, building, returns_artifact
from densecli.artifacts.growing_lines import growing_lines
from densecli.artifacts.kinds import ExamplesManifest, IndexManifest
from densecli.artifacts.manifest import describe_input, read_manifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.recipe import Input
from densecli.artifacts.workspace import EXAMPLES_FILE, Workspace, find_workspace, name_of_set
from densecli.configs.corpus import IndexConfig
from densecli.configs.mining import MineConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import ArtifactError, UpToDate, UsageError
from densecli.files.bad_records import BadRecords
from densecli.files.count_lines import count_lines
from densecli.files.parallel import cores
from densecli.files.streams import STDIN
from densecli.formats.read_mining_input import read_mining_input, with_answer_type
from densecli.mining.mine import mine
from densecli.mining.miner import Miner
from densecli.observer import SILENT, Observer
from densecli.records import Question, TrainingExample
from densecli.retrieval.search import DenseEngine
from densecli.workflows.datasets import DatasetChoice, check_size, choose_dataset, question_file
from densecli.workflows.describe_records import describe_records
from densecli.workflows.engines import CustomRetriever, Parts, open_bm25, open_dense
from densecli.workflows.index import build_bm25_index
from densecli.workflows.reporting import collect_bad_records, warn_of_patterns

Questions = Path | str | Iterable[Question | TrainingExample]
OFTEN = 0.1
"""Share of questions whose gold passage is not in the collection, above which there is a warning."""
IN_MEMORY = "questions in memory"


@returns_artifact
def mine_negatives(
    questions: Questions | None = None,
    *,
    workspace: Workspace | Path | str | None = None,
    passages: Path | None = None,
    bm25: Path | None = None,
    index: Path | None = None,
    retriever: str | CustomRetriever | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    output: Path | None = None,
    workers: int | None = None,
    force: bool = False,
    config: MineConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Path:
    """Find a positive passage and hard negatives for each question: the examples that `train` reads.

    A question without a positive is dropped and counted. An interrupted run resumes, unless the questions
    can be read only once: a pipe, or an iterator.

    Args:
        questions: a file of questions with answers, gold passages or training examples (`-` is standard
            input); or records: questions, or examples whose passages are taken as given.
        workspace: its folder; by default the nearest `.densecli`.
        passages: passage store, in place of the workspace's.
        bm25: BM25 index, in place of the workspace's. It is built if it is missing.
        index: dense index, in place of the workspace's, for dense negatives.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`, for dense negatives.
        dataset: a dataset of the paper, in place of questions.
        split: its split; by default train.
        data_dir: folder with files of the dataset.
        output: folder to write; by default `examples/NAME` in the workspace, with the name of the file or
            dataset, or `questions` for records.
        workers: processes that mine; by default one for each core. The result is the same.
        force: rebuild examples that were made from other inputs or with other settings.
        config: what to mine.
        observer: receives messages, warnings and progress.
        **settings: fields of MineConfig, such as `negatives="bm25:30,random:50"`.

    Returns:
        The folder, with the examples as DPR's JSON in `examples.jsonl`.

    Raises:
        InputError: the questions cannot be read.
        ArtifactError: something is missing, the parts do not belong together, or the output was built
            otherwise.
        UsageError: a setting has no effect, or there are both questions and a dataset, or neither.
        ResourceError: a worker process died.

    Example:
        >>> mine_negatives("questions.jsonl", workspace="nq", depth=100)
        Artifact(folder=PosixPath('nq/examples/questions'), up_to_date=False)
    """
    config = resolve_config(MineConfig, "mine-negatives", config, settings)
    home = find_workspace(workspace)
    config.check_effects(settings)
    bad = collect_bad_records(config.on_error, observer)
    choice = choose_dataset(home, dataset, split, data_dir, "train")
    if choice is not None and config.answer_type is None:
        # in the config, so that a set whose answers were matched in another way is not up to date
        usual = choice.single()[0].answer_type
        config = replace(config, answer_type=None if usual == "string" else usual)
    # before BM25 is built, which may take long: a missing file is refused here
    given = _open_questions(questions, choice, config, bad, output, observer)
    target = output or home.examples / given.name
    if given.path is not None and target.resolve() == Path(given.path).resolve():
        raise UsageError(f"{target} would take the place of its own input; name another `output`")
    workers = workers or cores()
    collection = _open_collection(home, config, Parts(retriever, index, bm25, passages), workers, observer)
    inputs: list[str | Path | Input] = [given.described, *collection.folders]
    if collection.retriever is not None:
        inputs.append(Input("retriever", collection.retriever))
    keep_partial = given.described.sha256 is not None
    with building(
        ExamplesManifest, "mine-negatives", target, config, inputs, force, observer, keep_partial, home=home
    ) as build:
        _write_examples(given, collection, config, workers, build, observer)
        build.counts.update(bad.counts)
    return target


@dataclass(frozen=True)
class _Questions:
    """What is mined for: examples without passages where none are given.

    Attributes:
        examples: in order.
        name: of the result, where none is named.
        described: for the manifest; without a digest they can be read only once.
        path: of their file.
    """

    examples: Iterator[TrainingExample]
    name: str
    described: Input
    path: str | None = None


def _open_questions(
    questions: Questions | None,
    choice: DatasetChoice | None,
    config: MineConfig,
    bad: BadRecords,
    output: Path | None,
    observer: Observer,
) -> _Questions:
    """Return the questions that are given, in a file, or those of a dataset.

    Raises:
        UsageError: there are both questions and a dataset, or neither; or no output is named, and the file
            gives no name for one.
        ArtifactError: the dataset is not on this disk and cannot be fetched.
        InputError: a file is missing.
        TypeError: a record is neither a question nor an example.
    """
    if choice is not None:
        if questions is not None:
            raise UsageError("`dataset` and a file of questions contradict each other")
        one, part = choice.single()
        file = question_file(choice, observer)
        examples = read_mining_input(str(file), config.answer_type or one.answer_type, bad)
        counted = check_size(choice, file, examples, observer)
        return _Questions(counted, f"{one.name}-{part.name}", describe_input(file), str(file))
    if questions is None:
        raise UsageError("give either questions (or a file of them) or a dataset")
    if isinstance(questions, Path | str):
        path = str(questions)
        name = "stdin" if path == STDIN or output else name_of_set(path)
        found = read_mining_input(path, config.answer_type, bad)
        if config.answer_type is None:
            found = warn_of_patterns(found, lambda example: example.question, observer)
        return _Questions(found, name, describe_input(path), path)
    records: Iterable[TrainingExample] = map(_as_example, questions)
    if not isinstance(questions, Iterator):
        records = list(records)
    described = describe_records(IN_MEMORY, records)
    return _Questions(with_answer_type(records, config.answer_type), "questions", described)


def _as_example(record: Question | TrainingExample) -> TrainingExample:
    if isinstance(record, TrainingExample):
        return record
    if not isinstance(record, Question):
        raise TypeError(f"expected Question or TrainingExample records, got {type(record).__name__}")
    return TrainingExample(record, ())


@dataclass(frozen=True)
class _Collection:
    """What is searched.

    Attributes:
        store: the passages.
        bm25: the folder of their BM25 index, where anything comes from it.
        dense: their dense index and its retriever, where dense negatives are wanted.
        folders: the artifacts that the result is made from.
        retriever: the fingerprint of the retriever, where it is not the one that made the index. An index
            fits all with the same passage encoder, and these find other negatives.
    """

    store: PassageStore
    bm25: Path | None
    dense: DenseEngine | None
    folders: tuple[Path, ...]
    retriever: str | None


def _open_collection(
    home: Workspace, config: MineConfig, parts: Parts, workers: int, observer: Observer
) -> _Collection:
    """Open the passages and what searches them; BM25 is built if it is missing.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        UsageError: an index or a retriever is named that would have no effect.
    """
    store = PassageStore.open(parts.passages or home.passages)
    if len(store) < config.depth != MineConfig.depth:
        observer.warning(f"`depth` is {config.depth}, the collection has {len(store):,}: all are ranked")
    folders = [store.folder]
    bm25, dense, retriever = None, None, None
    if config.uses_bm25:
        bm25 = parts.bm25 or home.bm25
        if not bm25.exists():
            with suppress(UpToDate):  # another run has just finished it
                build_bm25_index(store.folder, bm25, IndexConfig(kind="bm25"), False, workers, observer, home)
        open_bm25(bm25, store)
        folders.append(bm25)
    elif parts.bm25 is not None:
        raise UsageError("`bm25` has no effect: positives are kept, and no negatives come from it")
    if "dense" in config.wanted:
        dense = open_dense(home, parts, home, store, observer, config.engine, single=False)
        folders.append(parts.index or home.index)
        made_by = read_manifest(folders[-1], IndexManifest).retriever
        retriever = None if dense.encoder.fingerprint == made_by else dense.encoder.fingerprint
    elif parts.index is not None or parts.retriever is not None:
        raise UsageError("`index` and `retriever` have an effect only with `negatives=dense`")
    return _Collection(store, bm25, dense, tuple(folders), retriever)


def _write_examples(
    questions: _Questions,
    collection: _Collection,
    config: MineConfig,
    workers: int,
    build: Building,
    observer: Observer,
) -> None:
    """Mine all questions, block by block, after those that an interrupted run has done."""
    store = collection.store
    opener = partial(open_miner, store.folder, store.fingerprint, collection.bm25, config)
    with growing_lines(build.folder / EXAMPLES_FILE, build.plan) as lines:
        done = lines.done.records
        build.counts.update(lines.done.counts)
        if done:
            observer.message(f"resuming at question {done + 1:,}")
        rest = islice(questions.examples, done, None)
        blocks = mine(rest, opener, store, config, build.counts, collection.dense, workers)
        with closing(blocks):
            tracked = observer.progress(
                blocks,
                "mine",
                count_lines(questions.path),
                "questions ",
                done=lambda _: build.counts["questions"],
                start=done,
            )
            for block in tracked:
                rows = (example.to_json() for example in block)
                lines.add(rows, build.counts["questions"], build.counts)
    dropped = build.counts["dropped_without_gold_passage"]
    if dropped > build.counts["questions"] * OFTEN:
        observer.warning(
            f"{dropped:,} of {build.counts['questions']:,} questions are dropped: the collection lacks their"
            " gold passage; `positives` keep takes the given passages as they are"
        )
    if not build.counts["examples"]:
        observer.warning("no question has a positive passage: there is nothing to train on")
    build.manifest = ExamplesManifest(fingerprint=build.digest(EXAMPLES_FILE), passages=store.fingerprint)


def open_miner(passages: Path, fingerprint: str, bm25: Path | None, config: MineConfig) -> Miner:
    """Open a miner, in any process.

    Raises:
        ArtifactError: the passages are no longer those with this fingerprint.
    """
    store = PassageStore.open(passages)
    if store.fingerprint != fingerprint:
        raise ArtifactError(f"{passages}: was replaced while it was mined; run the same command again")
    return Miner(store, None if bm25 is None else open_bm25(bm25, store), config)

"""What models are trained on, and which questions are left out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from densecli.artifacts.kinds import TrainedSet
from densecli.artifacts.recipe import shown_path
from densecli.artifacts.workspace import EXAMPLES_FILE, Workspace
from densecli.configs.training import TrainConfig, TrainReaderConfig
from densecli.errors import ArtifactError, FieldError, InputError, UsageError
from densecli.files.bad_records import BadRecords
from densecli.formats.known import MARKED
from densecli.formats.read_examples import read_examples
from densecli.formats.read_mining_input import read_mining_input
from densecli.formats.read_questions import read_questions
from densecli.formats.read_results import read_ranked
from densecli.observer import Observer
from densecli.reader.retrieved import check_texts
from densecli.records import Question, RankedList, TrainingExample
from densecli.registry.local import find_questions
from densecli.registry.sets import QuestionSet, members, registry
from densecli.text.same_text import text_key
from densecli.training.examples import ExampleSpool
from densecli.training.filtering import no_examples_error, without_questions
from densecli.training.sampling import Source, first_examples
from densecli.workflows.datasets import DatasetChoice, example_files
from densecli.workflows.record_sets import R, RecordSet, RecordSets, as_record_sets


def find_training_sets(
    workspace: Workspace,
    config: TrainConfig,
    choice: DatasetChoice | None,
    given: RecordSets[TrainingExample] | None,
    observer: Observer,
) -> tuple[list[RecordSet[TrainingExample]], TrainConfig]:
    """Return what a retriever is trained on, and the config with a sampling rate for each of several sets.

    Without a dataset or examples it is the only set in the workspace.

    Raises:
        UsageError: there are both examples and a dataset, or not as many sampling rates as sets.
        ArtifactError: there is nothing to train on.
        InputError: a file is missing.
    """
    if choice is not None and given is not None:
        raise UsageError("`dataset` and files of examples contradict each other")
    if choice is not None:
        found = example_files(choice, workspace, observer, config.rates)
        sets, rates = [RecordSet[TrainingExample](path) for path in found], list(found.values())
    elif given is not None:
        sets = [
            find_mined_set(workspace, one)
            for one in as_record_sets(given, TrainingExample, "training examples")
        ]
        rates = [1] * len(sets)
    else:
        sets, rates = [_only_set(workspace)], [1]
    if config.sampling_rates is None:
        usual = None if set(rates) == {1} else ",".join(map(str, rates))
        return sets, replace(config, sampling_rates=usual)
    check_rates(config, sets)
    return sets, config


def check_rates(config: TrainConfig | TrainReaderConfig, sets: Sequence[RecordSet[Any]]) -> None:
    """Refuse sampling rates that are more or fewer than the sets.

    Raises:
        UsageError: names the sets.
    """
    if config.rates and len(config.rates) != len(sets):
        names = ", ".join(one.name for one in sets)
        raise UsageError(
            f"`sampling_rates` {config.sampling_rates} has {len(config.rates)} rates for {len(sets)}"
            f" set{'s' * (len(sets) > 1)}: {names}"
        )


def find_mined_set(workspace: Workspace, given: RecordSet[R]) -> RecordSet[R]:
    """Return what is given, or where no such file exists the mined set with that name.

    Raises:
        InputError: there is neither.
    """
    name = given.name
    if given.records is not None or name == "-" or Path(name).exists():
        return given
    mined = workspace.examples / name
    if not (mined / EXAMPLES_FILE).exists():
        raise InputError(name, None, "no such file or mined set", f"a file, or a name in {mined.parent}")
    return RecordSet(str(mined))


def _only_set(workspace: Workspace) -> RecordSet[TrainingExample]:
    folder = workspace.examples
    found = sorted(path.parent for path in folder.glob(f"*/{EXAMPLES_FILE}"))
    if not found:
        raise ArtifactError(
            f"{folder}: no training examples; run `densecli mine-negatives QUESTIONS` first,"
            " or name a `dataset`"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"several sets of examples in {folder}: name those to train on ({names})")
    return RecordSet(str(found[0]))


def read_example_set(examples: RecordSet[TrainingExample], bad: BadRecords) -> Iterator[TrainingExample]:
    """Yield the training examples of a set.

    Raises:
        InputError: a file has something that cannot be used.
    """
    return read_examples(examples.name, bad) if examples.records is None else iter(examples.records)


def read_result_sets(
    sets: Iterable[RecordSet[RankedList]], bad: BadRecords, depth: int
) -> Iterator[RankedList]:
    """Yield search results whose first `depth` passages have texts.

    Raises:
        InputError: a file has something that cannot be used, or passages have no texts.
    """
    for one in sets:
        if one.records is None:
            yield from read_ranked(one.name, bad, check=partial(check_texts, depth=depth), wanted=MARKED)
            continue
        for number, ranked in enumerate(one.records, 1):
            try:
                check_texts(ranked, depth)
            except FieldError as error:
                what = f"record {number:,}: {error.what}"
                bad.refuse(error.code, InputError(one.name, None, what, error.expected))
            else:
                yield ranked


@dataclass(frozen=True)
class TrainingSets:
    """Examples in a spool, and the sets that they are from."""

    spool: ExampleSpool
    sources: list[Source]

    def __len__(self) -> int:
        return sum(len(source.rows) for source in self.sources)

    def warnings(self, config: TrainConfig) -> Iterator[str]:
        """Yield what is likely not meant: too few negatives, smaller batches, a warm-up without an end."""
        asked = config.other_negatives, config.hard_negatives
        rows = (row for source in self.sources for row in source.rows)
        short = sum(self.spool.negatives(row, *asked) < sum(asked) for row in rows)
        if short:
            yield (
                f"{short:,} of {len(self):,} examples have fewer negatives of their own than asked for"
                f" (`hard_negatives` {asked[1]:,} `other_negatives` {asked[0]:,})"
            )
        for source in self.sources:
            size = source.size(config.batch_size)
            if 0 < size < config.batch_size:
                yield f"{source.name} makes batches of {size:,}, not {config.batch_size:,}: it has no more"
        steps = config.passes(len(self)) * sum(one.batches(config.batch_size) for one in self.sources)
        doubts: list[str] = []
        config.check_warmup(steps, doubts.append)
        yield from doubts

    def describe(self, config: TrainConfig, workspace: Workspace) -> tuple[TrainedSet, ...]:
        """Return for the manifest what was trained on, and how often."""
        return tuple(
            TrainedSet(
                shown_path(source.name, workspace.root),
                len(source.rows),
                source.rate,
                source.batches(config.batch_size),
            )
            for source in self.sources
        )


def read_training_sets(
    sets: Sequence[RecordSet[TrainingExample]],
    config: TrainConfig,
    excluded: frozenset[str],
    counts: Counter[str],
    bad: BadRecords,
) -> TrainingSets:
    """Read what is trained on, without excluded questions, and choose `config.examples` of them.

    Raises:
        InputError: a file has something that cannot be used.
        UsageError: there are not as many examples as asked for, or one of several sets has none.
    """
    spool = ExampleSpool((), counts)
    sources, reasons = [], []
    for one, rate in zip(sets, config.rates or [1.0] * len(sets), strict=True):
        dropped: Counter[str] = Counter()
        rows = spool.add(without_questions(read_example_set(one, bad), excluded, dropped), dropped)
        counts.update(dropped)
        sources.append(Source(rows, rate, one.name))
        reasons.append(dropped)
    if not len(spool):
        raise no_examples_error("no training example is left to train on", sum(reasons, Counter(bad.counts)))
    for source, dropped in zip(sources, reasons, strict=True):
        if not source.rows:
            raise no_examples_error(f"no example of {source.name} is left, so leave this set out", dropped)
    if config.examples is not None:
        if config.examples > len(spool):
            raise UsageError(
                f"`examples` is {config.examples:,}, and there are {len(spool):,} that can be trained on"
            )
        sources = first_examples(sources, config.examples, config.seed)
        for source in sources:
            if not source.rows:
                raise UsageError(
                    f"`examples` {config.examples:,} chose no example of {source.name}: raise it, or leave"
                    " this set out"
                )
    return TrainingSets(spool, sources)


def read_dev_set(
    dev: RecordSet[Any], config: TrainConfig, counts: Counter[str], bad: BadRecords
) -> ExampleSpool | list[Question]:
    """Read what is validated on: examples, or with `validate_by="search"` the questions of any file.

    Raises:
        InputError: a file has something that cannot be used.
    """
    if config.validate_by != "search":
        return ExampleSpool(read_example_set(dev, bad), counts)
    if dev.records is not None:
        return list(dev.records)
    return [example.question for example in read_mining_input(dev.name, bad=bad)]


def find_excluded(
    workspace: Workspace,
    choice: DatasetChoice | None,
    given: RecordSets[Question],
    observer: Observer,
) -> list[RecordSet[Question]]:
    """Return the questions that are not trained on; report which test questions are not on this disk.

    Args:
        workspace: where files of datasets may be.
        choice: the dataset that is trained on; a warning reports if its test questions are missing.
        given: questions to leave out, in addition to the test questions of the paper's datasets.
        observer: receives messages and warnings.
    """
    folders = [workspace.data] if choice is None else choice.folders
    trained = [] if choice is None else [one.name for one, _ in members(choice.dataset)]
    found = {one.name: _test_file(folders, one, observer) for one in registry().sets.values()}
    here = {name: str(path) for name, path in found.items() if path is not None}
    missing = [name for name in found if name not in here]
    named = as_record_sets(given, Question, "excluded questions") if given else []
    names = ", ".join([*here, *(one.name for one in named)])
    summary = f"left out of training: questions of {names}"
    if not names:
        summary = "left out of training: no test questions (`exclude` names a file of yours)"
    observer.message(summary + (f"; test sets not on this disk: {', '.join(missing)}" if missing else ""))
    for name in missing:
        if name in trained:
            observer.warning(
                f"the test questions of {name} are not on this disk, so they are not left out of training;"
                f" fetch them with `densecli datasets {name} --fetch questions`, or name a file with"
                " `exclude`"
            )
    return [*(RecordSet[Question](path) for path in here.values()), *named]


def question_keys(sets: Iterable[RecordSet[Question]]) -> frozenset[str]:
    """Return the keys of all questions of sets.

    Raises:
        InputError: a file has something that cannot be used.
    """
    return frozenset(
        text_key(one.question)
        for questions in sets
        for one in (read_questions(questions.name) if questions.records is None else questions.records)
    )


def _test_file(folders: list[Path], one: QuestionSet, observer: Observer) -> Path | None:
    test = one.splits["test"]
    path = find_questions(folders, one, test)
    if path is not None:
        return path
    from densecli.registry.fetch import Fetch  # loads the library datasets

    try:
        return Fetch(one, test, folders[-1:], observer.transfer, observer.warning).find_cached()
    except ArtifactError as error:
        observer.warning(f"skipped {error}")
        return None

"""What `train` is given: files, mined sets or a data set of the paper, each with its sampling rate."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.excluded import question_keys
from densecli.cli.session import Session
from densecli.configs.training import TrainConfig
from densecli.errors import ArtifactError, InputError, UsageError
from densecli.io.workspace import EXAMPLES_FILE
from densecli.workflows.datasets import DatasetChoice, example_files

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords
    from densecli.records import Question
    from densecli.training.examples import ExampleSpool
    from densecli.training.sampling import Source


@dataclass(frozen=True)
class TrainingSets:
    """Examples in a spool, and the sets that they are from."""

    spool: "ExampleSpool"
    sources: list["Source"]

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
                f" (--hard-negatives {asked[1]:,} --other-negatives {asked[0]:,})"
            )
        for source in self.sources:
            size = source.size(config.batch_size)
            if 0 < size < config.batch_size:
                yield f"{source.name} makes batches of {size:,}, not {config.batch_size:,}: it has no more"
        steps = config.passes(len(self)) * sum(one.batches(config.batch_size) for one in self.sources)
        if config.warmup_steps is not None and 0 < steps <= config.warmup_steps:
            yield (
                f"--warmup-steps {config.warmup_steps:,} is longer than the training of {steps:,} updates:"
                " the learning rate never comes to its peak"
            )

    def facts(self, config: TrainConfig) -> dict[str, object]:
        """Return for the manifest what was trained on, and how often."""
        sets = [
            {
                "path": source.name,
                "examples": len(source.rows),
                "rate": source.rate,
                "batches": source.batches(config.batch_size),
            }
            for source in self.sources
        ]
        return {"epochs": config.passes(len(self)), "sets": sets}


def example_places(
    session: Session, config: TrainConfig, choice: DatasetChoice | None, named: Sequence[str]
) -> tuple[list[str], TrainConfig]:
    """Return what is trained on, and the config with a sampling rate for each where there are several.

    Raises:
        UsageError: files and a data set are both named, or there are not as many rates as sets.
        ArtifactError: there is nothing to train on.
        InputError: a file is missing.
    """
    if choice is None:
        places = [example_place(session, name) for name in named] or [_only_set(session)]
        usual = [1] * len(places)
    elif named:
        raise UsageError("--dataset and files of examples contradict each other")
    else:
        found = example_files(choice, session.workspace, session.terminal, config.rates)
        places, usual = list(found), list(found.values())
    if config.sampling_rates is None:
        rates = None if set(usual) == {1} else ",".join(map(str, usual))
        return places, replace(config, sampling_rates=rates)
    if len(config.rates) != len(places):
        raise UsageError(
            f"--sampling-rates {config.sampling_rates} has {len(config.rates)} rates for {len(places)}"
            f" set{'s' * (len(places) > 1)}: {', '.join(places)}"
        )
    return places, config


def example_place(session: Session, name: str) -> str:
    """Return the file or the mined set of a name.

    Raises:
        InputError: there is neither.
    """
    mined = session.workspace.examples / name
    if name == "-" or Path(name).exists():
        return name
    if not (mined / EXAMPLES_FILE).exists():
        raise InputError(name, None, "no such file or mined set", f"a file, or a name in {mined.parent}")
    return str(mined)


def _only_set(session: Session) -> str:
    folder = session.workspace.examples
    found = sorted(path.parent for path in folder.glob(f"*/{EXAMPLES_FILE}"))
    if not found:
        raise ArtifactError(
            f"{folder}: no training examples; run `densecli mine-negatives QUESTIONS` first,"
            " or name a --dataset"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"several sets of examples in {folder}: name those to train on ({names})")
    return str(found[0])


def read_sets(
    places: Sequence[str],
    config: TrainConfig,
    excluded: Sequence[str],
    counts: Counter[str],
    bad: "BadRecords",
) -> TrainingSets:
    """Read what is trained on, without excluded questions, and choose `config.examples` of them.

    Raises:
        InputError: a file has something that cannot be used.
        UsageError: there are not as many examples as asked for, or one of several sets has none.
    """
    from densecli.io.doors.examples import read_examples
    from densecli.training.examples import ExampleSpool
    from densecli.training.hygiene import nothing_left, without_questions
    from densecli.training.sampling import Source, first_examples

    keys = question_keys(excluded)
    spool = ExampleSpool((), counts)
    sources, reasons = [], []
    for place, rate in zip(places, config.rates or [1.0] * len(places), strict=True):
        dropped: Counter[str] = Counter()
        rows = spool.add(without_questions(read_examples(place, bad), keys, dropped), dropped)
        counts.update(dropped)
        sources.append(Source(rows, rate, place))
        reasons.append(dropped)
    if not len(spool):
        raise nothing_left("no training example is left to train on", sum(reasons, Counter(bad.counts)))
    for source, dropped in zip(sources, reasons, strict=True):
        if not source.rows:
            raise nothing_left(f"no example of {source.name} is left, so leave this set out", dropped)
    if config.examples is not None:
        if config.examples > len(spool):
            raise UsageError(
                f"--examples is {config.examples:,}, and there are {len(spool):,} that can be trained on"
            )
        sources = first_examples(sources, config.examples, config.seed)
        for source in sources:
            if not source.rows:
                raise UsageError(
                    f"--examples {config.examples:,} chose no example of {source.name}: raise it, or leave"
                    " this set out"
                )
    return TrainingSets(spool, sources)


def read_dev(
    place: str, config: TrainConfig, counts: Counter[str], bad: "BadRecords"
) -> "ExampleSpool | list[Question]":
    """Read what is validated on: examples, or with `--validate-by search` the questions of any file.

    Raises:
        InputError: the file has something that cannot be used.
    """
    if config.validate_by == "search":
        from densecli.io.doors.asked import read_asked

        return [example.question for example in read_asked(place, bad=bad)]
    from densecli.io.doors.examples import read_examples
    from densecli.training.examples import ExampleSpool

    return ExampleSpool(read_examples(place, bad), counts)

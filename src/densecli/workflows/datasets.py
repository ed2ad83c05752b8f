"""A dataset of the paper in place of a file: its questions and its training examples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from densecli.artifacts.workspace import Workspace
from densecli.errors import UsageError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_questions import read_questions
from densecli.observer import Observer
from densecli.records import Question
from densecli.registry.local import find_examples, find_questions
from densecli.registry.sets import QuestionSet, Split, members, split_of

T = TypeVar("T")


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset (or a mix of them), the name of a split, and the folders to look in, best first."""

    dataset: str
    split: str
    folders: list[Path]

    def single(self) -> tuple[QuestionSet, Split]:
        """Return the one dataset and split.

        Raises:
            UsageError: there is no such dataset or split, or it is a mix, which only `train` reads.
        """
        found = members(self.dataset)
        if len(found) > 1:
            names = ", ".join(one.name for one, _ in found)
            raise UsageError(f"{self.dataset} is a mix, for `densecli train` alone; name one of {names}")
        return found[0][0], split_of(found[0][0], self.split)


def choose_dataset(
    workspace: Workspace, dataset: str | None, split: str | None, data_dir: Path | None, default_split: str
) -> DatasetChoice | None:
    """Return the choice that the three settings make, or None without a dataset.

    Raises:
        UsageError: a split or a data folder is given without a dataset, and so would have no effect.
    """
    if dataset is not None:
        folders = [workspace.data] if data_dir is None else [data_dir, workspace.data]
        return DatasetChoice(dataset, split or default_split, folders)
    for option, value in (("`split`", split), ("`data_dir`", data_dir)):
        if value is not None:
            raise UsageError(f"{option} has an effect only with `dataset`")
    return None


def question_file(choice: DatasetChoice, observer: Observer) -> Path:
    """Return the file of a split's questions: one on this disk, else one that is fetched now.

    Raises:
        ArtifactError: it is missing and cannot be fetched.
    """
    one, split = choice.single()
    _warn_if_missing(choice, observer)
    path = find_questions(choice.folders, one, split)
    if path is None:
        from densecli.registry.fetch import Fetch

        fetch = Fetch(one, split, choice.folders, observer.transfer, observer.warning)
        path = fetch.questions()
    observer.message(f"{one.title}, {split.name}: {path}")
    if path.name.endswith("cut.jsonl"):
        observer.warning(
            "its train and dev are a cut of the official train questions, and not the authors' own:"
            " their dev file has questions of this train, and the other way round"
        )
    return path


def _warn_if_missing(choice: DatasetChoice, observer: Observer) -> None:
    """Warn that a named folder is missing: another one, or the network, takes its place."""
    *named, _ = choice.folders
    for folder in named:
        if not folder.is_dir():
            observer.warning(f"`data_dir` {folder}: no such folder; looking elsewhere")


def read_split_questions(
    choice: DatasetChoice, path: Path, answer_type: str | None, bad: BadRecords, observer: Observer
) -> Iterator[Question]:
    """Yield the questions of a split. A warning at the end reports if the paper counts another number.

    Answers are matched as `answer_type` says, else as the dataset says.
    """
    questions = read_questions(str(path), answer_type or choice.single()[0].answer_type, bad)
    return check_size(choice, path, questions, observer)


def check_size(choice: DatasetChoice, path: Path, records: Iterator[T], observer: Observer) -> Iterator[T]:
    """Pass the questions of a split on; warn at the end if the paper counts another number."""
    one, split = choice.single()
    number = 0
    for record in records:
        number += 1
        yield record
    if number != split.questions:
        observer.warning(
            f"{path} has {number:,} questions; in the paper {one.title} {split.name} has {split.questions:,}"
        )


def example_files(
    choice: DatasetChoice,
    workspace: Workspace,
    observer: Observer,
    rates: Sequence[float] = (),
    mined: bool = True,
) -> dict[str, int]:
    """Return the files of training examples of a split, or of a mix's sets, each with its rate in the mix.

    What `mine-negatives --dataset` made in the workspace comes before what others made, unless a folder
    was named that has the latter, or `mined` is off. `rates` replace those of the mix, if there are any.

    Raises:
        UsageError: the split is test, or that of a mix is not train.
        ArtifactError: they are missing and cannot be fetched.
    """
    places: dict[str, int] = {}
    _warn_if_missing(choice, observer)
    found = members(choice.dataset)
    for number, (one, times) in enumerate(found):
        split = split_of(one, choice.split)
        if split.name == "test":
            raise UsageError("`split` test is for search and evaluate: train on train, or on dev")
        if len(found) > 1 and split.name != "train":
            names = ", ".join(one.name for one, _ in found)
            raise UsageError(
                f"`split` {split.name}: {choice.dataset} is a mix of train splits alone; name one of {names}"
            )
        path = _examples(workspace, observer, choice.folders, one, split, mined)
        rate = rates[number] if len(rates) == len(found) else times
        observer.message(f"{one.title}, {split.name}: {path}" + (f", {rate:g} times" * (rate != 1)))
        places[str(path)] = times
    return places


def _examples(
    workspace: Workspace, observer: Observer, folders: list[Path], one: QuestionSet, split: Split, mined: bool
) -> Path:
    in_workspace = workspace.examples / f"{one.name}-{split.name}"
    found = find_examples(folders[:-1], one, split)
    if found is None and mined and in_workspace.is_dir():
        return in_workspace
    found = found or find_examples(folders[-1:], one, split)
    if found is None:
        from densecli.registry.fetch import Fetch

        found = Fetch(one, split, folders, observer.transfer, observer.warning).examples()
    return found

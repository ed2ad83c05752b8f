"""`--dataset`, `--split` and `--data-dir`: a data set of the paper in place of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from densecli.cli.session import Session
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords
    from densecli.io.registry.sets import QuestionSet, Split
    from densecli.records import Question

T = TypeVar("T")
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="A data set of the paper: nq, trivia, webq, trec or squad; fetched when it is not on this disk.",
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split", help="train, dev or test of --dataset. [default: train to train and mine, else test]"
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder with files of --dataset. [default: WORKSPACE/data]"),
]


@dataclass(frozen=True)
class Choice:
    """A data set (or a mix of them), a split's name, and the folders where its files may be, best first."""

    dataset: str
    split: str
    folders: list[Path]


def chosen(
    session: Session, dataset: str | None, split: str | None, data_dir: Path | None, usual: str
) -> Choice | None:
    """Return what the three options say, or None without `--dataset`.

    Raises:
        UsageError: `--split` or `--data-dir` stands alone, and so would have no effect.
    """
    if dataset is not None:
        folders = [session.workspace.data] if data_dir is None else [data_dir, session.workspace.data]
        return Choice(dataset, split or usual, folders)
    for option, value in (("--split", split), ("--data-dir", data_dir)):
        if value is not None:
            raise UsageError(f"{option} has an effect only with --dataset")
    return None


def single(choice: Choice) -> "tuple[QuestionSet, Split]":
    """Return the one set and split of a choice.

    Raises:
        UsageError: there is no such set or split, or it is a mix of several, which only `train` reads.
    """
    from densecli.io.registry.sets import members, split_of

    found = members(choice.dataset)
    if len(found) > 1:
        names = ", ".join(one.name for one, _ in found)
        raise UsageError(f"{choice.dataset} is a mix, for `densecli train` alone; name one of {names}")
    return found[0][0], split_of(found[0][0], choice.split)


def question_file(session: Session, choice: Choice) -> Path:
    """Return the file of a split's questions: one on this disk, else one that is fetched now.

    Raises:
        ArtifactError: there is none, and it cannot be fetched.
    """
    from densecli.io.registry.local import find_questions

    one, split = single(choice)
    path = find_questions(choice.folders, one, split)
    if path is None:
        from densecli.io.registry.fetch import Fetch

        fetch = Fetch(one, split, choice.folders, session.terminal.transfer, session.terminal.warning)
        path = fetch.questions()
    session.terminal.message(f"{one.title}, {split.name}: {path}")
    if path.name.endswith("cut.jsonl"):
        session.terminal.warning(
            "its train and dev are a cut of the official train questions, and not the authors' own:"
            " their dev file has questions of this train, and the other way round"
        )
    return path


def set_questions(
    session: Session, choice: Choice, path: Path, answer_type: str | None, bad: "BadRecords"
) -> "Iterator[Question]":
    """Yield the questions of a split's file, their answers matched as the set's are unless `answer_type`
    says otherwise; warn at the end where there were not as many as in the paper."""
    from densecli.io.doors.questions import read_questions

    questions = read_questions(str(path), answer_type or single(choice)[0].answer_type, bad)
    return counted(session, choice, path, questions)


def counted(session: Session, choice: Choice, path: Path, records: Iterator[T]) -> Iterator[T]:
    """Pass a split's questions on; warn at the end where there were not as many as in the paper."""
    one, split = single(choice)
    number = 0
    for record in records:
        number += 1
        yield record
    if number != split.questions:
        session.terminal.warning(
            f"{path} has {number:,} questions; in the paper {one.title} {split.name} has {split.questions:,}"
        )


def example_files(session: Session, choice: Choice, rates: Sequence[float] = ()) -> dict[str, int]:
    """Return the files of training examples of a split, or of a mix's sets, each with its rate in the mix.

    What `mine-negatives --dataset` made in the workspace comes before what others made, unless a folder
    was named that has the latter. `rates` are told in place of the mix's own, where there are some.

    Raises:
        UsageError: the split is test, or that of a mix is not train.
        ArtifactError: there are none, and they cannot be fetched.
    """
    from densecli.io.registry.sets import members, split_of

    places: dict[str, int] = {}
    found = members(choice.dataset)
    for number, (one, times) in enumerate(found):
        split = split_of(one, choice.split)
        if split.name == "test":
            raise UsageError("--split test is for search and evaluate: train on train, or on dev")
        if len(found) > 1 and split.name != "train":
            names = ", ".join(one.name for one, _ in found)
            raise UsageError(
                f"--split {split.name}: {choice.dataset} is a mix of train splits alone; name one of {names}"
            )
        path = _examples(session, choice.folders, one, split)
        rate = rates[number] if len(rates) == len(found) else times
        session.terminal.message(f"{one.title}, {split.name}: {path}" + (f", {rate:g} times" * (rate != 1)))
        places[str(path)] = times
    return places


def _examples(session: Session, folders: list[Path], one: "QuestionSet", split: "Split") -> Path:
    from densecli.io.registry.local import find_examples

    mined = session.workspace.examples / f"{one.name}-{split.name}"
    found = find_examples(folders[:-1], one, split)
    if found is None and mined.is_dir():
        return mined
    found = found or find_examples(folders[-1:], one, split)
    if found is None:
        from densecli.io.registry.fetch import Fetch

        found = Fetch(one, split, folders, session.terminal.transfer, session.terminal.warning).examples()
    return found

"""`--exclude`, and the test questions on this disk: what is never trained on."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.session import Session
from densecli.errors import ArtifactError
from densecli.workflows.datasets import DatasetChoice

if TYPE_CHECKING:
    from densecli.io.registry.sets import QuestionSet

ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        help="File of questions to leave out of training, in addition to the test questions of the "
        "paper's datasets on this disk. Can be repeated.",
    ),
]


def excluded_files(
    session: Session, choice: DatasetChoice | None, named: list[str] | None = None
) -> list[str]:
    """Return the files of questions that are not trained on; say which test questions are not on this disk.

    Args:
        session: of the command.
        choice: the data set that is trained on; that its test set is missing is a warning.
        named: what `--exclude` names.
    """
    from densecli.io.registry.sets import members, registry

    folders = [session.workspace.data] if choice is None else choice.folders
    trained = [] if choice is None else [one.name for one, _ in members(choice.dataset)]
    found = {one.name: _test_file(session, folders, one) for one in registry().sets.values()}
    here = {name: str(path) for name, path in found.items() if path is not None}
    missing = [name for name in found if name not in here]
    told = f"left out of training: questions of {', '.join([*here, *(named or [])])}"
    if not here and not named:
        told = "left out of training: no test questions (--exclude names a file of yours)"
    session.terminal.message(
        told + (f"; test sets not on this disk: {', '.join(missing)}" if missing else "")
    )
    for name in missing:
        if name in trained:
            session.terminal.warning(
                f"the test questions of {name} are not on this disk, so they are not left out of training;"
                f" `densecli datasets {name} --fetch questions` brings them, or name a file with --exclude"
            )
    return [*here.values(), *(named or [])]


def question_keys(files: Iterable[str]) -> frozenset[str]:
    """Return the keys of all questions in files.

    Raises:
        InputError: a file has something that cannot be used.
    """
    from densecli.io.doors.questions import read_questions
    from densecli.text.same_question import question_key

    return frozenset(question_key(one.question) for file in files for one in read_questions(file))


def _test_file(session: Session, folders: list[Path], one: "QuestionSet") -> Path | None:
    from densecli.io.registry.fetch import Fetch
    from densecli.io.registry.local import find_questions

    test = one.splits["test"]
    path = find_questions(folders, one, test)
    if path is not None:
        return path
    try:
        return Fetch(one, test, folders[-1:], session.terminal.transfer, session.terminal.warning).cached()
    except ArtifactError as error:
        session.terminal.warning(f"passed over {error}")
        return None

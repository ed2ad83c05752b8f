"""`densecli datasets`: the data sets of the paper, and what of them is on this disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densecli.cli.options import command
from densecli.cli.session import Session
from densecli.configs.data import DatasetsConfig
from densecli.errors import UsageError
from densecli.workflows.datasets import DatasetChoice, example_files, question_file

if TYPE_CHECKING:
    from densecli.io.registry.sets import QuestionSet, Split

CACHE = "cache of `datasets`"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "datasets", DatasetsConfig)
    def datasets(
        session: Session,
        config: DatasetsConfig,
        name: Annotated[
            str | None, typer.Argument(help="nq, trivia, webq, trec, squad or multi. [default: all]")
        ] = None,
        data_dir: Annotated[
            Path | None,
            typer.Option("--data-dir", help="Folder with files of data sets. [default: WORKSPACE/data]"),
        ] = None,
        json: Annotated[bool, typer.Option("--json", help="JSON lines even on a terminal.")] = False,
    ) -> None:
        """List the data sets of the paper, and what of them is on this disk.

        --fetch brings a set here: questions and training examples, for work without a network.
        """
        from densecli.io.registry.sets import members, registry

        if config.fetch is not None and name is None:
            raise UsageError("--fetch needs the name of a data set: the files are large")
        sets = registry().sets.values() if name is None else [one for one, _ in members(name)]
        folders = [*([] if data_dir is None else [data_dir]), session.workspace.data]
        for one in sets:
            _fetch(session, one, folders, config.fetch)
        rows = [row for one in sets for row in _rows(one, folders)]
        if session.terminal.shows_tables and not json:
            _show(session, rows)
        else:
            session.write(rows, None)


def _fetch(session: Session, one: "QuestionSet", folders: list[Path], what: str | None) -> None:
    for split in one.splits.values():
        choice = DatasetChoice(one.name, split.name, folders)
        if what in ("questions", "all"):
            question_file(choice, session.terminal)
        if what in ("examples", "all") and split.dpr_examples is not None:
            example_files(choice, session.workspace, session.terminal)


def _rows(one: "QuestionSet", folders: list[Path]) -> Iterator[dict[str, Any]]:
    """Yield what is known of each split of a set."""
    from densecli.io.registry.local import find_examples, find_questions

    for split in one.splits.values():
        questions = find_questions(folders, one, split)
        examples = find_examples(folders, one, split)
        yield {
            "dataset": one.name,
            "title": one.title,
            "split": split.name,
            "questions": split.questions,
            "examples": split.examples,
            "answer_type": one.answer_type,
            "licence": one.licence,
            "questions_here": str(questions) if questions else _cached(one, split),
            "examples_here": str(examples) if examples else None,
        }


def _cached(one: "QuestionSet", split: "Split") -> str | None:
    from densecli.io.registry.hub import is_cached

    return CACHE if one.hub is not None and split.hub_split is not None and is_cached(one.hub) else None


def _show(session: Session, rows: list[dict[str, Any]]) -> None:
    from densecli.cli.terminal import plain_table

    header = ["data set", "split", "questions", "examples", "questions here", "examples here"]
    columns = ("dataset", "split", "questions", "examples", "questions_here", "examples_here")
    session.terminal.show(plain_table(header, [[_cell(row[column]) for column in columns] for row in rows]))


def _cell(value: object) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

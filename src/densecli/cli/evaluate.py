"""`densecli evaluate`: top-k accuracy and exact match."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.options import command
from densecli.cli.result_forms import for_people
from densecli.cli.session import Session
from densecli.cli.shared_options import (
    DataDirOption,
    DatasetOption,
    JsonOption,
    QuestionsOption,
    SplitOption,
    TextOrLines,
    TextsOption,
)
from densecli.configs.asking import EvaluateConfig
from densecli.counts import format_counts
from densecli.errors import UsageError
from densecli.files.names import display_path


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "evaluate", EvaluateConfig)
    def evaluate(
        session: Session,
        config: EvaluateConfig,
        results: Annotated[
            list[str] | None,
            typer.Argument(
                help="Files of search results or predictions, NAME=FILE to name a row, or - for stdin."
            ),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="File for the measures as JSON lines. [default: stdout]"),
        ] = None,
        questions: QuestionsOption = None,
        passages: TextsOption = None,
        dataset: DatasetOption = None,
        split: SplitOption = None,
        data_dir: DataDirOption = None,
        form: TextOrLines = None,
        json: JsonOption = False,
        table: Annotated[bool, typer.Option("--table", help="The same as --format text.")] = False,
    ) -> None:
        """Measure top-k accuracy and exact match.

        With --dataset, results without answers get those of the data set, and the paper's rows stand below.
        """
        if table and form == "jsonl":
            raise UsageError("--table and --format jsonl contradict each other")
        people = for_people(session, "text" if table else form, json, output, "--table")
        from densecli.workflows.evaluate import evaluate as run
        from densecli.workflows.texts import Texts

        sources = _rows(results or [_from_stdin(session, dataset, split)])
        found = run(
            {name: Path(path) for name, path in sources.items()},
            texts=Texts(questions, passages),
            dataset=dataset,
            split=split,
            data_dir=data_dir,
            **session.arguments(config),
        )
        if people:
            from densecli.cli.tables import accuracy_table

            session.terminal.show(accuracy_table({**found.measured, **found.published}))
        else:
            rows = [{"results": display_path(name), **one.to_json()} for name, one in found.measured.items()]
            rows += [
                {"results": name, "published": True, **one.to_json()} for name, one in found.published.items()
            ]
            session.write(rows, output)
        for name, summary in found.measured.items():
            counts = format_counts(+summary.counts)
            if counts:
                session.terminal.message(f"{name}: {counts}")
        found.check_threshold(config.fail_under)


def _rows(results: Sequence[str]) -> dict[str, str]:
    """Return the paths of results by the names of their rows.

    Raises:
        UsageError: two have one name.
    """
    sources: dict[str, str] = {}
    for name, path in map(_named, results):
        if name in sources:
            raise UsageError(f"two rows are named {name!r}; give each a name of its own: NAME=FILE")
        sources[name] = path
    return sources


def _named(source: str) -> tuple[str, str]:
    name, equals, path = source.partition("=")
    if equals and not os.path.exists(source):
        return name, path
    return ("stdin" if source == "-" else source), source


def _from_stdin(session: Session, dataset: str | None, split: str | None) -> str:
    """Return `-`.

    Raises:
        UsageError: nothing is piped in; with a dataset the error names the commands that make results.
    """
    try:
        return session.input_or_stdin(None, "results")
    except UsageError:
        if dataset is None:
            raise
        split = split or "test"
        name = f"{dataset}-{split}.jsonl"
        search = f"densecli search --dataset {dataset} --split {split} -o {name}"
        raise UsageError(
            f"no results given: `{search}` makes them; then `densecli evaluate {name} --dataset {dataset}`"
        ) from None

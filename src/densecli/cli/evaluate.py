"""`densecli evaluate`: top-k accuracy and exact match."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.named_sets import (
    Choice,
    DataDirOption,
    DatasetOption,
    SplitOption,
    chosen,
    question_file,
    set_questions,
    single,
)
from densecli.cli.options import command
from densecli.cli.session import Session
from densecli.cli.texts import QuestionsOption, Texts, TextsOption
from densecli.configs.asking import EvaluateConfig
from densecli.counts import listed
from densecli.errors import ThresholdError, UsageError

if TYPE_CHECKING:
    from densecli.io.formats.lookup import Lookup
    from densecli.metrics.accuracy import Summary


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
        json: Annotated[bool, typer.Option("--json", help="JSON lines even on a terminal.")] = False,
        table: Annotated[bool, typer.Option("--table", help="A table even in a pipe.")] = False,
    ) -> None:
        """Measure top-k accuracy and exact match.

        With --dataset, results without answers get those of the data set, and the paper's rows stand below.
        """
        if json and table:
            raise UsageError("--json and --table contradict each other")
        choice = chosen(session, dataset, split, data_dir, "test")
        sources = _rows(results or [_from_stdin(session, choice)])
        file = None if choice is None else question_file(session, choice)
        bad = session.bad_records(config.on_error)
        known = Texts(questions, passages).lookup(bad)
        session.tell_skipped(bad)
        summaries = {
            name: _summary(session, config, path, choice, file, known) for name, path in sources.items()
        }
        published = {} if choice is None else _published(choice, list(summaries.values()))
        if table or (session.terminal.shows_tables and not json and output is None):
            from densecli.cli.tables import accuracy_table

            session.terminal.show(accuracy_table(summaries | published))
        else:
            rows = [{"results": name, **one.to_json()} for name, one in summaries.items()]
            rows += [{"results": name, "published": True, **one.to_json()} for name, one in published.items()]
            session.write(rows, output)
        for name, summary in summaries.items():
            told = listed(+summary.counts)
            if told:
                session.terminal.message(f"{name}: {told}")
            _check_threshold(name, summary, config.fail_under)


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


def _published(choice: Choice, measured: "Sequence[Summary]") -> "dict[str, Summary]":
    """Return the paper's rows for a split, with those of their measures that were measured here too."""
    from densecli.metrics.accuracy import Summary

    ks = {k for summary in measured for k in summary.top_k}
    read = any(summary.exact_match is not None for summary in measured)
    _, split = single(choice)
    rows = {
        row.name: Summary(
            split.questions,
            {k: value for k, value in row.top_k.items() if k in ks},
            row.exact_match if read else None,
        )
        for row in split.paper
    }
    return {name: row for name, row in rows.items() if row.top_k or row.exact_match is not None}


def _from_stdin(session: Session, choice: Choice | None) -> str:
    """Return `-`.

    Raises:
        UsageError: nothing is piped in; with a data set it says where results come from.
    """
    try:
        return session.input_or_stdin(None, "results")
    except UsageError:
        if choice is None:
            raise
        one, part = single(choice)
        name = f"{one.name}-{part.name}.jsonl"
        search = f"densecli search --dataset {one.name} --split {part.name} -o {name}"
        raise UsageError(
            f"no results given: `{search}` makes them; then `densecli evaluate {name} --dataset {one.name}`"
        ) from None


def _summary(
    session: Session,
    config: EvaluateConfig,
    path: str,
    choice: Choice | None,
    file: Path | None,
    known: "Lookup",
) -> "Summary":
    from collections import Counter

    from densecli.io.doors.results import read_results
    from densecli.io.streams import told
    from densecli.metrics.accuracy import summarize
    from densecli.stages.evaluate import evaluate

    counts: Counter[str] = Counter()
    bad = session.bad_records(config.on_error)
    records = session.terminal.progress(read_results(path, bad, known), "evaluate", unit="questions ")
    if choice is not None and file is not None:
        from densecli.stages.supply_answers import supply_answers

        config = replace(config, answer_type=config.answer_type or single(choice)[0].answer_type)
        asked = set_questions(session, choice, file, config.answer_type, bad)
        records = supply_answers(records, asked, counts)
    summary = summarize(bad.usable(told(path), evaluate(records, config, counts, bad, told(path))))
    counts.update(bad.counts)
    summary.counts.update(counts)
    return summary


def _check_threshold(name: str, summary: "Summary", least: float | None) -> None:
    if least is None:
        return
    measure = "exact match" if summary.exact_match is not None else "top-20 accuracy"
    value = summary.exact_match if summary.exact_match is not None else summary.top_k.get(20)
    if value is None:
        raise UsageError("--fail-under needs predictions, or results with at least 20 passages")
    if value < least:
        raise ThresholdError(f"{name}: {measure} is {value:.1f}, below {least:g}")

"""`densecli read`: an answer for each question, with its passage and place."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from densecli.cli.questions import Conversation, parse_results_or_questions
from densecli.cli.results import deliver_tables, for_people
from densecli.cli.session import Session
from densecli.cli.shared_options import (
    AskOption,
    JsonOption,
    QuestionsOption,
    ReaderOption,
    RetrieverOption,
    TextOrLines,
    TextsOption,
)
from densecli.configs.asking import ReadConfig, SearchConfig
from densecli.errors import UsageError
from densecli.records import Question


def read(
    session: Session,
    config: ReadConfig,
    question: Annotated[
        str | None, typer.Argument(help="A question, a file of search results, or - for stdin.")
    ] = None,
    reader: ReaderOption = None,
    retriever: RetrieverOption = None,
    questions: QuestionsOption = None,
    passages: TextsOption = None,
    tune: Annotated[
        Path | None,
        typer.Option(
            help="Find how answers are best chosen, on these questions or search results with answers, "
            "and store it with the reader.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File for the predictions as JSON lines. [default: stdout]"),
    ] = None,
    text: Annotated[
        bool,
        typer.Option("--text/--no-text", help="Include title and text of passages in the predictions."),
    ] = False,
    form: TextOrLines = None,
    json: JsonOption = False,
    ask: AskOption = False,
) -> None:
    """Read the answer to a question in its passages.

    A question is searched first; search results are read as they are.
    """
    from densecli.workflows.read import read as run
    from densecli.workflows.read import tune_reader
    from densecli.workflows.texts import Texts

    people = for_people(session, form, json, output)
    if people and text:
        raise UsageError("--text has an effect only on JSON lines: with --json or --output")
    arguments: dict[str, Any] = {
        "reader": reader,
        "retriever": retriever,
        "texts": Texts(questions, passages),
        "search_config": session.config_of_command(SearchConfig, "search"),
        **session.arguments(config),
    }
    if tune is not None:
        if question is not None:
            raise UsageError("a question has no effect with --tune, which reads its own questions")
        session.check_outputs(output)
        tuned = tune_reader(tune, **arguments)
        deliver_tables(session, tuned.tables(), tuned.to_json(), people, output)
        return
    results, asked = parse_results_or_questions(session, question, ask)
    single = isinstance(asked, Conversation)
    if people and isinstance(asked, Conversation):
        asked = replace(asked, waiting="reading")
    predictions = run(asked, results=results, one_at_a_time=single, **arguments)
    if people and isinstance(asked, Question):  # it takes seconds, and a person must see that it works
        predictions = iter(list(session.terminal.progress(predictions, "read", 1)))
    elif people and not single:
        predictions = session.terminal.number_questions(predictions, "read")
    elif not isinstance(asked, Question | Conversation):
        from densecli.files.count_lines import count_lines

        total = count_lines(asked if results is None else results)
        predictions = session.terminal.progress(predictions, "read", total, "questions ")
    if people:
        from densecli.cli.views import prediction_view

        session.terminal.show_each(map(prediction_view, predictions))
    else:
        session.write((one.to_json(text) for one in predictions), output)

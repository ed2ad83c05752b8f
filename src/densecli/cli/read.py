"""`densecli read`: an answer for each question, with its passage and place."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.engines import Named, open_collection, open_reader
from densecli.cli.models import ReaderOption, RetrieverOption, reader_place
from densecli.cli.options import command
from densecli.cli.questions import asked, is_file
from densecli.cli.session import Session
from densecli.cli.texts import QuestionsOption, Texts, TextsOption
from densecli.configs.asking import ReadConfig, SearchConfig
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords
    from densecli.records import Prediction, RankedList


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "read", ReadConfig)
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
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="File for the predictions as JSON lines. [default: stdout]"),
        ] = None,
        text: Annotated[
            bool, typer.Option("--text/--no-text", help="Put title and text of passages in the predictions.")
        ] = False,
        json: Annotated[bool, typer.Option("--json", help="JSON lines even on a terminal.")] = False,
    ) -> None:
        """Read the answer to a question in its passages.

        A question is searched first; search results are read as they are.
        """
        from densecli.stages.read import read as run

        people = session.terminal.shows_tables and not json and output is None
        if people and text:
            raise UsageError("--text has an effect only on JSON lines: with --json or --output")
        bad = session.bad_records(config.on_error)
        ranked, single = _ranked(session, question, retriever, config.depth, Texts(questions, passages), bad)
        model = open_reader(Path(reader_place(session, reader)), config, single)
        counts: Counter[str] = Counter()
        predictions = run(ranked, model, config, counts)
        if people:
            _show(session, predictions)
        else:
            if not single:
                predictions = session.terminal.progress(predictions, "read", unit="questions ")
            session.write((one.to_json(text) for one in predictions), output)
        session.tell_skipped(bad)
        if counts["without_passages"]:
            session.terminal.warning(f"{counts['without_passages']:,} questions had no passage to read")


def _ranked(
    session: Session,
    given: str | None,
    retriever: str | None,
    k: int,
    texts: Texts,
    bad: "BadRecords",
) -> "tuple[Iterator[RankedList], bool]":
    """Return search results, and whether they are of questions that come one at a time."""
    if given is not None or not session.terminal.can_ask:
        source = session.input_or_stdin(given, "question or search results")
        if source == "-" or is_file(source):
            if retriever is not None:
                raise UsageError("--retriever has no effect on results that were searched before")
            from densecli.io.doors.results import read_ranked
            from densecli.reader.retrieved import TEXTS, check_texts

            check = partial(check_texts, depth=k, expected=f"{TEXTS}, or --passages FOLDER")
            return read_ranked(source, bad, texts.lookup(bad), check), False
    if texts.named:
        raise UsageError(f"--{texts.named} has an effect only on results that were searched before")
    from densecli.stages.search import search

    questions, single = asked(session, given, None, bad, "read")
    config = SearchConfig()
    collection = open_collection(session, config, Named(retriever))
    batch_size = 1 if single else config.batch_size
    return search(questions, collection.engine, collection.store, k, batch_size, Counter()), single


def _show(session: Session, predictions: "Iterable[Prediction]") -> None:
    from densecli.cli.snippets import prediction_view

    for one in predictions:
        session.terminal.show(prediction_view(one))

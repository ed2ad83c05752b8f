"""`densecli search`: the best passages for questions."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.engines import Named, open_collection
from densecli.cli.models import RetrieverOption
from densecli.cli.named_sets import DataDirOption, DatasetOption, SplitOption, chosen
from densecli.cli.options import command
from densecli.cli.questions import asked
from densecli.cli.result_forms import check_form, write_results
from densecli.cli.session import Session
from densecli.cli.tuning import check_tuning, tune_weight
from densecli.configs.asking import SearchConfig
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.records import RankedList

PEOPLE_K = 5
PROGRAM_K = 100


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "search", SearchConfig)
    def search(
        session: Session,
        config: SearchConfig,
        question: Annotated[
            str | None,
            typer.Argument(help="A question, a file of questions (JSONL, qa.csv, .txt), or - for stdin."),
        ] = None,
        retriever: RetrieverOption = None,
        index: Annotated[
            Path | None,
            typer.Option(
                "--index",
                help="Dense or BM25 index, alone unless --bm25 or --mode hybrid adds the other side. "
                "[default: WORKSPACE/index]",
            ),
        ] = None,
        bm25: Annotated[
            Path | None, typer.Option("--bm25", help="BM25 index. [default: WORKSPACE/bm25]")
        ] = None,
        passages: Annotated[
            Path | None, typer.Option("--passages", help="Passage store. [default: WORKSPACE/passages]")
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="File for the results as JSON lines. [default: stdout]"),
        ] = None,
        text: Annotated[
            bool, typer.Option("--text/--no-text", help="Put title and text of passages in the results.")
        ] = True,
        tune_lambda: Annotated[
            str | None,
            typer.Option(
                "--tune-lambda",
                help="Find λ for hybrid search on these questions with answers, and store it with the index.",
            ),
        ] = None,
        dataset: DatasetOption = None,
        split: SplitOption = None,
        data_dir: DataDirOption = None,
        json: Annotated[bool, typer.Option("--json", help="JSON lines even on a terminal.")] = False,
    ) -> None:
        """Find the passages that answer a question.

        Where there are both indexes it searches by words and by meaning, and fuses what it finds.
        With nothing prepared it searches a small sample; without a question, on a terminal, it asks.
        """
        from densecli.stages.search import search as run

        check_form(config.format, text, json)
        people = session.terminal.shows_tables and not (json or output or config.format)
        if people and not text and tune_lambda is None:
            raise UsageError("--no-text has an effect only on JSON lines: with --json or --output")
        named = Named(retriever, index, bm25, passages)
        choice = chosen(session, dataset, split, data_dir, "test")
        bad = session.bad_records(config.on_error)
        if tune_lambda is not None:
            check_tuning(config, question or dataset, text)
            best = tune_weight(session, config, named, tune_lambda, bad)
            if people:
                from densecli.cli.tables import weight_table

                session.terminal.show(weight_table(best))
            else:
                session.write([best.to_json()], output)
            return
        questions, single = asked(session, question, config.answer_type, bad, "search", choice)
        collection = open_collection(session, config, named)
        k = config.k or (PEOPLE_K if people else PROGRAM_K)
        if config.k is not None and k > len(collection.store):
            session.terminal.warning(
                f"-k is {k}, the collection has {len(collection.store):,} passages: showing all"
            )
        counts: Counter[str] = Counter()
        batch_size = 1 if single else config.batch_size
        ranked = run(questions, collection.engine, collection.store, k, batch_size, counts)
        if people:
            _show(session, ranked)
        else:
            if not single:
                ranked = session.terminal.progress(ranked, "search", unit="questions ")
            write_results(session, ranked, config.format or "jsonl", text, output)
        session.tell_skipped(bad)
        if counts["without_result"]:
            session.terminal.warning(
                f"{counts['without_result']:,} of {counts['questions']:,} questions found nothing"
            )


def _show(session: Session, ranked: "Iterable[RankedList]") -> None:
    from densecli.cli.snippets import ranked_view

    for one in ranked:
        session.terminal.show(ranked_view(one))

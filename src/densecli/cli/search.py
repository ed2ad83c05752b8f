"""`densecli search`: the best passages for questions."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from densecli.cli.options import command
from densecli.cli.questions import Conversation, parse_questions
from densecli.cli.result_forms import check_form, for_people, write_results
from densecli.cli.session import Session
from densecli.cli.shared_options import (
    AskOption,
    DataDirOption,
    DatasetOption,
    JsonOption,
    PassagesOption,
    RetrieverOption,
    SplitOption,
)
from densecli.configs.asking import SearchConfig
from densecli.errors import UsageError
from densecli.records import Question, RankedList

PEOPLE_K = 5


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
                help="Dense or BM25 index. Searched alone unless --bm25 or --mode hybrid adds the "
                "other side. [default: WORKSPACE/index]",
            ),
        ] = None,
        bm25: Annotated[
            Path | None, typer.Option("--bm25", help="BM25 index. [default: WORKSPACE/bm25]")
        ] = None,
        passages: PassagesOption = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="File for the results as JSON lines. [default: stdout]"),
        ] = None,
        text: Annotated[
            bool, typer.Option("--text/--no-text", help="Include title and text of passages in the results.")
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
        json: JsonOption = False,
        ask: AskOption = False,
    ) -> None:
        """Find the passages that answer a question.

        Where there are both indexes it searches by words and by meaning, and fuses what it finds.
        With nothing prepared it searches a small sample; without a question, on a terminal, it asks.
        """
        check_form(config.format, text, json)
        people = for_people(session, config.format, json, output)
        if people and not text and tune_lambda is None:
            raise UsageError("--no-text has an effect only on JSON lines: with --json or --output")
        parts: dict[str, Any] = {"retriever": retriever, "index": index, "bm25": bm25, "passages": passages}
        if tune_lambda is not None:
            _check_tuning(config, question or dataset, text)
            _tune(session, config, parts, tune_lambda, people, output)
            return
        from densecli.workflows.search import search as run

        questions = parse_questions(session, question, config, "search", dataset, ask)
        arguments = session.arguments(config)
        if people and config.k is None:
            arguments["k"] = PEOPLE_K
        ranked = run(
            questions,
            dataset=dataset,
            split=split,
            data_dir=data_dir,
            one_at_a_time=isinstance(questions, Conversation),
            **parts,
            **arguments,
        )
        if people:
            _show(session, ranked)
        else:
            if not isinstance(questions, Question | Conversation):
                ranked = session.terminal.progress(ranked, "search", unit="questions ")
            write_results(session, ranked, config.format or "jsonl", text, output)


def _show(session: Session, ranked: Iterable[RankedList]) -> None:
    from densecli.cli.snippets import ranked_view

    for one in ranked:
        session.terminal.show(ranked_view(one))


def _tune(
    session: Session,
    config: SearchConfig,
    parts: dict[str, Any],
    questions: str,
    people: bool,
    output: Path | None,
) -> None:
    from densecli.workflows.tune import tune_fusion_weight

    best = tune_fusion_weight(Path(questions), **parts, **session.arguments(config))
    if people:
        from densecli.cli.tables import weight_table

        session.terminal.show(weight_table(best))
    else:
        session.write([best.to_json()], output)


def _check_tuning(config: SearchConfig, question: str | None, text: bool) -> None:
    """Refuse what has no effect on tuning.

    Raises:
        UsageError: names it.
    """
    useless = {
        "a question": question,
        "-k": config.k,
        "--preset": config.preset,
        "--lambda": config.fusion_weight,
        "--fusion rrf": None if config.fusion == "linear" else config.fusion,
        "--no-text": None if text else "",
    }
    named = [name for name, value in useless.items() if value is not None]
    if config.mode not in (None, "hybrid"):
        raise UsageError("--tune-lambda has an effect only with --mode hybrid")
    if named:
        raise UsageError(f"{named[0]} has no effect beside --tune-lambda, which finds λ on its own questions")

"""`densecli search`: the best passages for questions."""

from pathlib import Path
from typing import Annotated, Any

import typer

from densecli.cli.explained import deliver_explained
from densecli.cli.questions import Conversation, parse_questions
from densecli.cli.results import deliver_tables, drop_unused_format, for_people, write_ranked
from densecli.cli.search_checks import check_explained, check_no_text, check_tuned
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
from densecli.records import Question

PEOPLE_K = 5


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
            help="Dense or BM25 index. Searched alone unless --bm25 or --mode hybrid adds the "
            "other side. [default: WORKSPACE/index]",
        ),
    ] = None,
    bm25: Annotated[Path | None, typer.Option(help="BM25 index. [default: WORKSPACE/bm25]")] = None,
    passages: PassagesOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File for the results, as JSON lines unless --format says otherwise. [default: stdout]",
        ),
    ] = None,
    text: Annotated[
        bool, typer.Option("--text/--no-text", help="Include title and text of passages in the results.")
    ] = True,
    tune_lambda: Annotated[
        str | None,
        typer.Option(
            help="Find λ for hybrid search on these questions with answers, and store it with the index."
        ),
    ] = None,
    dataset: DatasetOption = None,
    split: SplitOption = None,
    data_dir: DataDirOption = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show the dense score, the BM25 terms and the rank behind each hit."),
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option(help="Show what several modes find, side by side: bm25,dense, or hybrid,bm25,dense."),
    ] = None,
    json: JsonOption = False,
    ask: AskOption = False,
) -> None:
    """Find the passages that answer a question.

    If both indexes exist, it searches by words and by meaning, and fuses the results. If nothing is
    prepared, it searches a small sample. Without a question, on a terminal, it asks for one.
    """
    tuned_form = tune_lambda is not None and config.format not in (None, "text", "jsonl")
    other_form = json or explain or bool(compare) or not text or tuned_form
    config = drop_unused_format(session, config, other_form, output)
    people = for_people(session, config.format, json, output)
    if explain or compare is not None:
        check_explained(session, config, explain, compare, tune_lambda)
    if not text:
        check_no_text(config, people, tune_lambda)
    if tune_lambda is not None:
        check_tuned(session, config, question)
    parts: dict[str, Any] = {"retriever": retriever, "index": index, "bm25": bm25, "passages": passages}
    arguments = parts | session.arguments(config)
    if tune_lambda is not None:
        from densecli.workflows.tune import tune_fusion_weight, weight_table

        session.check_outputs(output)
        best = tune_fusion_weight(Path(tune_lambda), **arguments)
        deliver_tables(session, [weight_table(best)], best.to_json(), people, output)
        return
    asked = parse_questions(session, question, "search", dataset, ask)
    arguments |= {"k": PEOPLE_K} if people and config.k is None else {}
    if explain or compare is not None:
        deliver_explained(session, asked, compare, arguments, people, text, output)
        return
    from densecli.workflows.search import search as run

    arguments |= {"dataset": dataset, "split": split, "data_dir": data_dir}
    ranked = run(asked, one_at_a_time=isinstance(asked, Conversation), **arguments)
    if not people and not isinstance(asked, Question | Conversation):
        from densecli.files.count_lines import count_lines

        ranked = session.terminal.progress(ranked, "search", count_lines(asked), "questions ")
    if people:
        from densecli.cli.views import ranked_view

        session.terminal.show_each(map(ranked_view, ranked))
    else:
        write_ranked(session, ranked, config, text, output)

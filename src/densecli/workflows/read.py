"""Reading: an answer for each question, with its passage and its place there (paper, section 6.1)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import ReadConfig, SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.encoders.engines import Asked
from densecli.errors import UsageError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_results import read_ranked
from densecli.observer import SILENT, Observer
from densecli.reader.engines import open_reader
from densecli.reader.read import read as read_answers
from densecli.reader.retrieved import TEXTS, check_texts
from densecli.records import Prediction, Question, RankedList
from densecli.workflows.collection import open_collection
from densecli.workflows.engines import CustomRetriever
from densecli.workflows.models import reader_place
from densecli.workflows.reporting import collect_bad_records, report_skipped
from densecli.workflows.search import Questions, arrival_check, open_questions
from densecli.workflows.texts import Texts


def read(
    questions: Questions | None = None,
    *,
    results: Path | Iterable[RankedList] | None = None,
    workspace: Workspace | Path | str | None = None,
    reader: str | None = None,
    retriever: str | CustomRetriever | None = None,
    texts: Texts | None = None,
    one_at_a_time: bool = False,
    config: ReadConfig | None = None,
    search_config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Iterator[Prediction]:
    """Read the answers to questions, or in search results.

    Args:
        questions: a question, several, or the path of a file of them. They are searched first.
        results: search results in place of questions: records, or the path of a file (`Path("-")` is
            standard input). They are read as they are.
        workspace: folder of collection and reader; by default the nearest `.densecli`. Where nothing is
            prepared, the sample answers, but not for a file.
        reader: folder of a reader, or `starter`; by default the workspace's, else the starter.
        retriever: folder, Hub name, `starter`, or an encoder of your own, for questions.
        texts: texts for results that hold only ids.
        one_at_a_time: answer each question before the next is read, as in a conversation.
        config: how to read.
        search_config: how to search.
        observer: receives messages, warnings and progress.
        **settings: fields of ReadConfig, such as `depth=20` passages for each question.

    Returns:
        One prediction for each question, in order, its answers best first.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        InputError: a file cannot be read, or the passages have no text.
        UsageError: a setting has no effect, or there are both questions and results, or neither.
    """
    config = resolve_config(ReadConfig, "read", config, settings)
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    texts = texts or Texts()
    if (results is None) == (questions is None):
        raise UsageError("give either questions or search results")
    single = one_at_a_time or isinstance(questions, str | Question)
    if results is not None:
        if retriever is not None:
            raise UsageError("--retriever has no effect on results that were searched before")
        ranked = _open_results(results, texts, config.depth, bad)
    else:
        if texts.named:
            raise UsageError(f"--{texts.named} has an effect only on results that were searched before")
        search_config = search_config or SearchConfig()
        asked = open_questions(questions, home, search_config, bad, observer)
        collection = open_collection(
            home,
            retriever=retriever,
            sample=not isinstance(questions, Path),
            single=single,
            config=search_config,
            observer=observer,
        )
        ranked = collection.search(asked, config.depth, 1 if single else None, arrival_check(questions))
    wanted = Asked(config.engine, config.device, config.precision)
    place = Path(reader_place(home, observer, reader))
    model = open_reader(place, wanted, single, config.batch_tokens, observer)
    counts: Counter[str] = Counter()
    has_arrived = (lambda: False) if single else arrival_check(questions if results is None else results)
    return _report(read_answers(ranked, model, config, counts, has_arrived), counts, bad, observer)


def _open_results(
    results: Path | Iterable[RankedList], texts: Texts, depth: int, bad: BadRecords
) -> Iterator[RankedList]:
    if not isinstance(results, Path):
        return iter(results)
    check = partial(check_texts, depth=depth, expected=f"{TEXTS}, or --passages FOLDER")
    return read_ranked(str(results), bad, texts.lookup(bad), check)


def _report(
    predictions: Iterator[Prediction], counts: Counter[str], bad: BadRecords, observer: Observer
) -> Iterator[Prediction]:
    yield from predictions
    report_skipped(bad, observer)
    if counts["without_passages"]:
        observer.warning(f"{counts['without_passages']:,} questions had no passage to read")

"""Reading: an answer for each question, with its passage and its place there (paper, section 6.1)."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from densecli.artifacts.manifest import describe_input
from densecli.artifacts.tuned_file import SELECTION
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import DEFAULT_DEPTH, ReadConfig, SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.encoders.engines import EngineRequest
from densecli.errors import InputError, UsageError
from densecli.files.atomic import refuse_unwritable
from densecli.files.bad_records import BadRecords
from densecli.files.count_lines import count_lines
from densecli.files.streams import STDIN
from densecli.formats.detect import detect_format
from densecli.formats.documents import open_document
from densecli.formats.known import EXAMPLES, MARKED, PREDICTIONS, RESULTS
from densecli.formats.read_results import read_ranked
from densecli.models.folder import fingerprint
from densecli.observer import SILENT, Observer
from densecli.reader.engines import open_reader
from densecli.reader.read import read as read_answers
from densecli.reader.retrieved import TEXTS, check_texts, retrieved_passages
from densecli.reader.tune import SelectionSweep, TunedSelection
from densecli.reader.tuned import selection_for, store_selection
from densecli.records import Passage, Prediction, Question, RankedList
from densecli.workflows.collection import open_collection
from densecli.workflows.engines import CustomRetriever
from densecli.workflows.models import STARTER, reader_place
from densecli.workflows.reporting import collect_bad_records, report_skipped
from densecli.workflows.search import Questions, arrival_check, is_named_file, open_questions
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
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`, for questions.
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

    Example:
        >>> [prediction] = read("who voiced Meg")
        >>> prediction.answer
        'Lacey Chabert'
    """
    config = resolve_config(ReadConfig, "read", config, settings)
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    place = Path(reader_place(home, observer, reader))
    selection, depth = selection_for(place, config)
    single = one_at_a_time or isinstance(questions, str | Question)
    ranked = _open_ranked(
        home,
        questions,
        results,
        texts,
        retriever,
        single,
        depth,
        search_config or SearchConfig(),
        bad,
        observer,
    )
    request = EngineRequest.of(config)
    model = open_reader(place, request, single, config.batch_tokens, observer)
    counts: Counter[str] = Counter()
    has_arrived = (lambda: False) if single else arrival_check(questions if results is None else results)
    found = read_answers(ranked, model, config, counts, has_arrived, selection, depth)
    return _report(found, counts, bad, observer)


def tune_reader(
    dev: Path | Sequence[Question] | Sequence[RankedList],
    *,
    workspace: Workspace | Path | str | None = None,
    reader: str | None = None,
    retriever: str | CustomRetriever | None = None,
    texts: Texts | None = None,
    config: ReadConfig | None = None,
    search_config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> TunedSelection:
    """Find how a reader's answers are best chosen on dev questions, and store it with the reader.

    Each question's passages are read once. The rule, its weights and the number of passages are then
    compared on what was read. Joint selection is stored only if it is significantly better.

    Args:
        dev: questions with answers, which are searched first, or search results for such questions; or
            the path of a file of either.
        workspace: folder of collection and reader; by default the nearest `.densecli`.
        reader: folder of a reader; by default the workspace's.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`, for questions.
        texts: texts for results that hold only ids.
        config: how to read; `depth` is the largest number of passages that is tried.
        search_config: how to search.
        observer: receives messages, warnings and progress.
        **settings: fields of ReadConfig.

    Returns:
        The rule that was stored, and exact match in percent of the rules that were compared.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        InputError: a file cannot be read, the passages have no text, or no question has answers.
        UsageError: the reader is the one that ships with densecli, or an argument has no effect.
    """
    config = resolve_config(ReadConfig, "read", config, settings)
    for setting in ("select", "min_score", "decode", "alternatives"):
        if setting in settings:
            raise UsageError(f"`{setting}` has no effect when a reader is tuned; leave it out")
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    place = Path(reader_place(home, observer, reader))
    if place.resolve() == (STARTER / "reader").resolve():
        raise UsageError("the starter reader cannot be tuned: name another reader")
    depth = config.depth or DEFAULT_DEPTH
    questions, results = _questions_or_results(dev, bad)
    ranked = _open_ranked(
        home,
        questions,
        results,
        texts,
        retriever,
        False,
        depth,
        search_config or SearchConfig(),
        bad,
        observer,
    )
    model = open_reader(
        place,
        EngineRequest.of(config),
        False,
        config.batch_tokens,
        observer,
    )
    refuse_unwritable(place / SELECTION)
    sweep = SelectionSweep()
    asked: deque[RankedList] = deque()

    def with_answers() -> Iterator[tuple[str, Sequence[Passage]]]:
        for one in ranked:
            if one.question.answers:
                asked.append(one)
                yield one.question.question, retrieved_passages(one, depth)

    read_all = model.read_passages(with_answers())
    for passages in observer.progress(read_all, "read", count_lines(dev), "questions "):
        one = asked.popleft()
        scores = sorted((ctx.score for ctx in one.ctxs[: len(passages)]), reverse=True)  # as `read` does
        sweep.add(one.question, passages, scores, model.max_answer_tokens)
    report_skipped(bad, observer)
    if not len(sweep):
        name = dev if isinstance(dev, Path) else "dev questions"
        raise InputError(name, None, "no question has answers", "questions with answers")
    tuned = sweep.best()
    digest = (describe_input(dev).sha256 or "") if isinstance(dev, Path) else ""
    source = dev.name if isinstance(dev, Path) else ""
    path = store_selection(place, tuned, fingerprint(place), source, digest)
    chosen = tuned.selection.rule
    observer.message(f"{path}: `select` {chosen}, {tuned.depth} passages ({tuned.questions:,} questions)")
    return tuned


def _questions_or_results(
    dev: Path | Sequence[Question] | Sequence[RankedList], bad: BadRecords
) -> tuple[Questions | None, Path | Sequence[RankedList] | None]:
    if isinstance(dev, Path):
        if str(dev) == STDIN or dev.is_fifo():
            raise UsageError(
                f"{dev}: tuning looks at the first record, then reads all, and a pipe can be read only once;"
                " write the dev questions into a file"
            )
        with open_document(str(dev), bad) as document:
            form = detect_format(document).form
        found = form.kind in (RESULTS, PREDICTIONS) or (form.name == "squad" and form.kind == EXAMPLES)
        return (None, dev) if found else (dev, None)
    results = [one for one in dev if isinstance(one, RankedList)]
    return (None, results) if results else ([one for one in dev if isinstance(one, Question)], None)


def _open_ranked(
    home: Workspace,
    questions: Questions | None,
    results: Path | Iterable[RankedList] | None,
    texts: Texts | None,
    retriever: str | CustomRetriever | None,
    single: bool,
    depth: int,
    search_config: SearchConfig,
    bad: BadRecords,
    observer: Observer,
) -> Iterator[RankedList]:
    """Return search results as they are given, or search the questions."""
    texts = texts or Texts()
    if (results is None) == (questions is None):
        raise UsageError("give either questions or search results")
    if results is not None:
        if retriever is not None:
            raise UsageError("`retriever` has no effect on results that were searched before")
        return _open_results(results, texts, depth, bad)
    if texts.named:
        raise UsageError(f"`{texts.named}` has an effect only on results that were searched before")
    asked = open_questions(questions, home, search_config, bad, observer)
    collection = open_collection(
        home,
        retriever=retriever,
        sample=not is_named_file(questions),
        single=single,
        config=search_config,
        observer=observer,
    )
    return collection.search(asked, depth, 1 if single else None, arrival_check(questions))


def _open_results(
    results: Path | Iterable[RankedList], texts: Texts, depth: int, bad: BadRecords
) -> Iterator[RankedList]:
    if not isinstance(results, Path):
        return texts.lookup(bad).complete_all(results, bad) if texts.named else iter(results)
    check = partial(check_texts, depth=depth, expected=f"{TEXTS}, or `passages` FOLDER")
    return read_ranked(str(results), bad, texts.lookup(bad), check, MARKED)


def _report(
    predictions: Iterator[Prediction], counts: Counter[str], bad: BadRecords, observer: Observer
) -> Iterator[Prediction]:
    yield from predictions
    report_skipped(bad, observer)
    if counts["passages_cut"]:
        observer.message(
            "longer than the reader's limit, so read without their ends:"
            f" {counts['passages_cut']:,} of {counts['passages']:,} passages"
        )
    if counts["without_passages"]:
        observer.warning(f"{counts['without_passages']:,} questions had no passage to read")

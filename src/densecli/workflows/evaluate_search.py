"""A complete evaluation: search questions, read if there is a reader, measure accuracy and time."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import EvaluateConfig, ReadConfig, SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import InputError
from densecli.evaluation.thresholds import parse_ks, parse_thresholds
from densecli.files.streams import display_name
from densecli.formats.lookup import questions_by_id
from densecli.models.folder import fingerprint
from densecli.observer import SILENT, Observer
from densecli.reader.tuned import selection_for
from densecli.records import Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine
from densecli.workflows.collection import Collection, open_collection
from densecli.workflows.evaluate import Evaluation, Latency, evaluate
from densecli.workflows.read import read
from densecli.workflows.reporting import collect_bad_records, report_skipped
from densecli.workflows.search import open_questions
from densecli.workflows.texts import Texts

T = TypeVar("T")
TIMED_QUESTIONS = 100
READ_QUESTIONS = 20
"""Questions that are searched, and read, one at a time to take the time."""
PERCENTILES = (50, 95, 99)


def evaluate_search(
    clock: Callable[[], float],
    *,
    questions: Path | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    workspace: Workspace | Path | str | None = None,
    config: EvaluateConfig | None = None,
    search_config: SearchConfig | None = None,
    read_config: ReadConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Evaluation:
    """Search questions in the workspace, read answers if it has a reader, and measure both.

    Args:
        clock: returns seconds, such as `time.perf_counter`.
        questions: file of the questions; by default the dataset's.
        dataset: a dataset of the paper. It also says how answers are matched.
        split: its split; by default test.
        data_dir: folder with files of the dataset.
        workspace: folder of collection and models; by default the nearest `.densecli`.
        config: how to evaluate. As many passages are searched as its largest k asks for, or the reader reads.
        search_config: how to search.
        read_config: how to read.
        observer: receives messages, warnings and progress.
        **settings: fields of EvaluateConfig, and what else `evaluate` takes.

    Returns:
        The measures, and how long a question takes (`latencies`).

    Raises:
        ArtifactError: a collection or the dataset is missing.
        InputError: the questions cannot be read, or there are none.
        UsageError: a setting has no effect.
    """
    passed = {name: settings.pop(name) for name in ("qrels", "measures", "details") if name in settings}
    config = resolve_config(EvaluateConfig, "evaluate", config, settings)
    home = find_workspace(workspace)
    search_config = replace(search_config or SearchConfig(), answer_type=config.answer_type)
    bad = collect_bad_records(config.on_error, observer)
    # beside a file, the dataset says how answers are matched and which rows are published
    of_dataset = (dataset, split, data_dir) if questions is None else ()
    name = dataset or display_name(str(questions))
    found_questions = open_questions(questions, home, search_config, bad, observer, *of_dataset)
    asked = list(questions_by_id(found_questions, name, bad).values())
    report_skipped(bad, observer)
    if not asked:
        raise InputError(name, None, "has no questions", "at least one")
    has_reader = home.reader.exists()
    thresholds = [one.k for one in parse_thresholds(config.fail_under) if one.k is not None]
    deepest = selection_for(home.reader, read_config or ReadConfig())[1] if has_reader else 1
    limits = []
    if passed.get("qrels") is not None:
        from densecli.evaluation.qrels_measures import DEFAULT, cutoffs  # loads ir-measures

        limits = cutoffs(passed.get("measures") or DEFAULT)
    k = max(*parse_ks(config.top_k), *thresholds, *limits, deepest)
    search_config = replace(search_config, k=k, answer_type=None)
    collection = open_collection(home, single=False, sample=False, config=search_config, observer=observer)
    results: Iterator[Any] = observer.progress(
        collection.search(asked), "search", total=len(asked), unit="questions "
    )
    if has_reader:
        found = read(results=results, workspace=home, config=read_config, observer=observer)
        results = observer.progress(found, "read", total=len(asked), unit="questions ")
    evaluation = evaluate(
        {name: results},
        workspace=home,
        texts=Texts(None if questions is None else str(questions), home.passages, asked),
        dataset=dataset,
        split=split,
        data_dir=data_dir,
        config=config,
        observer=observer,
        **passed,
    )
    latencies = _latencies(collection, home, asked, has_reader, read_config, clock, observer)
    made_by = {
        "path": str(home.root),
        "sha256": None,
        "collection": collection.fingerprint,
        "reader": fingerprint(home.reader) if has_reader else None,
    }
    return replace(evaluation, latencies=latencies, inputs={name: made_by})


def _latencies(
    collection: Collection,
    home: Workspace,
    questions: Sequence[Question],
    has_reader: bool,
    read_config: ReadConfig | None,
    clock: Callable[[], float],
    observer: Observer,
) -> dict[str, Latency]:
    """Ask questions drawn at random one at a time, and return the milliseconds of each stage.

    They are asked as a user asks: without answers, which would be looked for in what is found.
    """
    count = min(TIMED_QUESTIONS, len(questions))
    drawn = [replace(one, answers=()) for one in random.Random(0).sample(list(questions), count)]
    engine, k = collection.engine, collection.config.k or 1
    dense, depth = engine, k
    if isinstance(engine, HybridEngine):
        dense, depth = engine.dense, engine.depth(k)
    stages: dict[str, list[float]] = {}

    def time_stage(stage: str, work: Callable[[], T]) -> T:
        begun = clock()
        made = work()
        stages.setdefault(stage, []).append(1000 * (clock() - begun))
        return made

    collection.search(drawn[0])  # loads what is loaded late
    for question in observer.progress(drawn, "time the search", total=len(drawn), unit="questions "):
        text = [question.question]
        if isinstance(dense, DenseEngine):
            vectors = time_stage("encode the question", partial(dense.encoder.encode, text))
            time_stage("search vectors", partial(dense.index.search, vectors, depth))
        if isinstance(engine, HybridEngine):
            time_stage("search words", partial(engine.words.search, text, depth))
        time_stage("search in all", partial(collection.search, question))
    if has_reader:
        chosen = {} if read_config is None else asdict(read_config)
        changed = {name: value for name, value in chosen.items() if value != getattr(ReadConfig(), name)}
        asked = drawn[:READ_QUESTIONS]
        collection.read(asked[0], **changed)
        for question in observer.progress(asked, "time the reader", total=len(asked), unit="questions "):
            ranked = collection.search(question)
            time_stage("read what was found", partial(collection.read, ranked, **changed))
            time_stage("search and read", partial(collection.read, question, **changed))
    return {
        stage: Latency(len(times), {one: round(float(np.percentile(times, one)), 2) for one in PERCENTILES})
        for stage, times in stages.items()
    }

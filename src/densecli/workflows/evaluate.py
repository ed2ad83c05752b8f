"""Evaluation: top-k accuracy, exact match, F1 and measures of qrels (paper, sections 5.1 and 6.2)."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.artifacts.recipe import digest_file
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import EvaluateConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import UsageError
from densecli.evaluation.accuracy import EXACT_MATCH, F1, Summary
from densecli.evaluation.compare import Comparison, compare, shared_order
from densecli.evaluation.question_set import QuestionSet
from densecli.evaluation.thresholds import Threshold, parse_ks, parse_thresholds
from densecli.files.bad_records import BadRecords
from densecli.files.names import display_path
from densecli.files.streams import STDIN
from densecli.files.urls import is_remote
from densecli.formats.lookup import Store
from densecli.formats.read_qrels import Qrels, read_qrels
from densecli.observer import SILENT, Observer
from densecli.registry.sets import registry
from densecli.workflows.datasets import DatasetChoice, choose_dataset, question_file, read_split_questions
from densecli.workflows.measure_results import MeasuredResults, Measurer, Results
from densecli.workflows.reporting import collect_bad_records, report_skipped
from densecli.workflows.texts import Texts

if TYPE_CHECKING:
    from densecli.evaluation.details import Details


@dataclass(frozen=True)
class Latency:
    """How long a stage takes for one question alone.

    Attributes:
        questions: how many were timed.
        milliseconds: by percentile, such as 50 and 99.
    """

    questions: int
    milliseconds: Mapping[int, float]


@dataclass(frozen=True)
class Evaluation:
    """The measures of one or more sets of results.

    Attributes:
        measured: a summary for each name.
        published: rows of the paper and of others for the same split, with the measures that were measured
            here.
        comparisons: each set of results compared with the first, where they have the same questions.
        curves: top-k accuracy in percent for k = 1, 2, …, for each name.
        inputs: path and SHA-256 of the file that was read, for each name; where `evaluate_search` searched,
            the workspace, and the fingerprints of its `collection` and `reader`.
        reference: the same of the `questions`, also those of a dataset, and of the `qrels`.
        answer_type: how answers were matched: `string`, `regex`, or both; None where only qrels judge.
        note: what to bear in mind of the published rows, or an empty string.
        details: single questions, where they were asked for.
        latencies: of `evaluate_search`: how long one question alone takes, by stage.
    """

    measured: Mapping[str, Summary]
    published: Mapping[str, Summary] = field(default_factory=dict)
    comparisons: Sequence[Comparison] = ()
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    inputs: Mapping[str, Mapping[str, str | None] | None] = field(default_factory=dict)
    reference: Mapping[str, Mapping[str, str | None] | None] = field(default_factory=dict)
    answer_type: str | None = None
    note: str = ""
    details: "Details | None" = None
    latencies: Mapping[str, Latency] = field(default_factory=dict)

    def check_threshold(self, least: str | None) -> None:
        """Refuse results below a threshold.

        Args:
            least: as `EvaluateConfig.fail_under`.

        Raises:
            ThresholdError: names the results, the measure and its value.
            UsageError: the measure was not measured.
        """
        for threshold in parse_thresholds(least):
            for name, summary in self.measured.items():
                if summary.measures and threshold.name and threshold.name not in summary.measures:
                    threshold = replace(threshold, name=_usual(threshold.name))
                threshold.check(name, summary)


def name_results(results: Sequence[str]) -> dict[str, Path]:
    """Return the paths of results by name, from `FILE` or `NAME=FILE` each; `-` is standard input.

    Raises:
        UsageError: two have one name.

    Example:
        >>> list(name_results(["bm25=found.run", "dense.run"]))
        ['bm25', 'dense.run']
    """
    sources: dict[str, Path] = {}
    if sum(given.partition("=")[2] == STDIN or given == STDIN for given in results) > 1:
        raise UsageError("standard input is named twice, and can be read only once")
    for given in results:
        name, equals, path = given.partition("=")
        # a path or a URL may hold one, too
        is_path = any(mark in name for mark in "/\\") and not os.path.exists(path)
        if not equals or os.path.exists(given) or is_remote(given) or is_path:
            name, path = ("stdin" if given == STDIN else given), given
        name = display_path(name)
        if name in sources:
            raise UsageError(f"two rows are named {name!r}; give each a name of its own: NAME=FILE")
        sources[name] = Path(path)
    return sources


def evaluate(
    results: Results | Mapping[str, Results],
    *,
    workspace: Workspace | Path | str | None = None,
    texts: Texts | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    qrels: str | None = None,
    measures: Sequence[str] = (),
    details: bool = False,
    config: EvaluateConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Evaluation:
    """Measure search results or predictions.

    Every question counts: where there is a set of questions (of `texts` or of a dataset), one without a
    result is a miss, and results for other questions are left out.

    Args:
        results: ranked lists, predictions or the path of a file of them (`Path("-")` is standard input); or
            several of these, by name. The others are compared with the first.
        workspace: where files of the dataset may be; by default the nearest `.densecli`.
        texts: the questions that count, and the passages of results that hold only ids.
        dataset: a dataset of the paper. Results without answers get those of the dataset.
        split: its split; by default test.
        data_dir: folder with files of the dataset.
        qrels: file of relevance judgments, as TREC or BEIR write them.
        measures: measures of the qrels by their names in ir-measures; by default nDCG@10, RR@10 and R@100.
        details: whether to keep single questions for a report (`evaluation_report`).
        config: how to evaluate.
        observer: receives messages, warnings and progress.
        **settings: fields of EvaluateConfig, such as `answer_type="regex"`.

    Returns:
        Top-k accuracy (section 5.1), exact match and F1 (section 6.2) in percent; measures of qrels from 0
        to 1.

    Raises:
        InputError: results cannot be read, have a question twice, or have neither `has_answer` nor texts.
        ArtifactError: the dataset is not on this disk and cannot be fetched.
        UsageError: a setting has no effect, or a measure is not known.

    Example:
        >>> ranked = list(search(Question("1", "who voiced Meg", ("Mila Kunis",)), k=5))
        >>> evaluate(ranked).measured["results"].top_k[5]
        100.0
    """
    config = resolve_config(EvaluateConfig, "evaluate", config, settings)
    thresholds = parse_thresholds(config.fail_under)
    home = find_workspace(workspace)
    choice = choose_dataset(home, dataset, split, data_dir, "test")
    sources = results if isinstance(results, Mapping) else {_name_of(results): results}
    texts = texts or Texts()
    bad = collect_bad_records(config.on_error, observer)
    known = texts.lookup(bad)
    judgments = _judgments(qrels, measures, bad)
    _check_names(thresholds, judgments)
    asked, question_path = None, texts.questions
    if choice is not None:
        config = replace(config, answer_type=config.answer_type or choice.single()[0].answer_type)
    if texts.questions is not None:
        asked = QuestionSet(known.questions.values() if texts.asked is None else texts.asked)
    elif choice is not None:
        question_path = str(question_file(choice, observer))
        rows = read_split_questions(choice, Path(question_path), config.answer_type, bad, observer)
        asked = QuestionSet(rows, ids=False, own_answers=True)
    report_skipped(bad, observer)
    ks = {*parse_ks(config.top_k), *(one.k for one in thresholds if one.k is not None)}
    kept = None
    if details:
        from densecli.evaluation.details import Details  # only a report needs it

        kept = Details()
    several = len(sources) > 1
    measurer = Measurer(config, sorted(ks), asked, known.store, judgments, kept, observer, several)
    runs = {name: measurer.measure(name, one) for name, one in sources.items()}
    summaries = {name: run.summary for name, run in runs.items()}
    published = {} if choice is None else _find_published(choice, list(summaries.values()))
    return Evaluation(
        summaries,
        published,
        _compare(runs, config, observer),
        {name: run.scores.accuracies() for name, run in runs.items()},
        {name: _describe(path) for name, path in sources.items()},
        {"questions": _describe(question_path), "qrels": _describe(qrels)},
        " and ".join(sorted(set().union(*(run.scores.answer_types for run in runs.values())))) or None,
        _caution(choice, known.store, summaries.values()) if choice is not None and published else "",
        kept,
    )


def _judgments(
    qrels: str | None, measures: Sequence[str], bad: BadRecords
) -> tuple[Sequence[str], Qrels] | None:
    """Return the names of the measures and the qrels.

    Raises:
        UsageError: there are measures without qrels, or one that is not known.
        InputError: the qrels cannot be read.
    """
    if qrels is None:
        if measures:
            raise UsageError(f"`measure` {measures[0]} has an effect only with `qrels` FILE")
        return None
    from densecli.evaluation.qrels_measures import DEFAULT, check_measures

    names = measures or DEFAULT
    check_measures(names)
    return names, read_qrels(qrels, bad)


def _check_names(thresholds: Sequence[Threshold], judgments: tuple[Sequence[str], Qrels] | None) -> None:
    """Refuse a threshold of a measure that will not be measured, before hours of work.

    Raises:
        UsageError: names the threshold.
    """
    known = ["top-K", EXACT_MATCH, F1]
    for threshold in thresholds:
        name = threshold.name
        if name is None or threshold.k is not None or name.upper() in known:
            continue
        measured: list[str] = []
        if judgments is not None:
            measured = [_usual(one) for one in judgments[0]]
            if _usual(name).lower() in [one.lower() for one in measured]:
                continue
        expected = ", ".join(known + measured)
        more = "" if judgments is not None else "; others need `qrels` FILE"
        raise UsageError(f"`fail_under` {name}: is not measured; expected one of {expected}{more}")


def _usual(measure: str) -> str:
    """Return the name under which a measure of qrels is measured: RR@10 for MRR@10."""
    from densecli.evaluation.qrels_measures import usual_name  # loads ir-measures

    return usual_name(measure) or measure


def _compare(
    runs: Mapping[str, MeasuredResults], config: EvaluateConfig, observer: Observer
) -> list[Comparison]:
    """Compare each run with the first, as far as they have the same questions."""
    baseline, *others = runs
    first = runs[baseline]
    comparable = {baseline: {**first.values, **first.judged}}
    for name in others:
        run = runs[name]
        order = shared_order(first.scores, run.scores)
        comparable[name] = dict(run.judged)
        if order is not None:
            comparable[name] |= {measure: values[order] for measure, values in run.values.items()}
        elif len(first.scores) and len(run.scores):  # else only the qrels judge one of them
            observer.warning(
                f"{name} and {baseline} are not compared, because their questions differ:"
                " `questions` FILE says which questions count"
            )
    pairs = [(name, baseline) for name in others]
    return compare(comparable, pairs, config.resamples, config.seed)


def _name_of(results: Results) -> str:
    if not isinstance(results, Path | str):
        return "results"
    return "stdin" if str(results) == STDIN else str(results)


def _describe(path: Any) -> dict[str, str | None] | None:
    """Return path and SHA-256 of a file; that of a stream is not known. Records have neither."""
    if not isinstance(path, Path | str):
        return None
    return {"path": display_path(path), "sha256": digest_file(Path(path)) if Path(path).is_file() else None}


def _find_published(choice: DatasetChoice, measured: list[Summary]) -> dict[str, Summary]:
    """Return the published rows of a split, with those of their measures that were measured here too."""
    ks = {k for summary in measured for k in summary.top_k}
    read = any(summary.exact_match is not None for summary in measured)
    _, split = choice.single()
    rows = {
        row.name: Summary(
            split.questions,
            {k: value for k, value in row.top_k.items() if k in ks},
            row.exact_match if read else None,
        )
        for row in split.published
    }
    return {name: row for name, row in rows.items() if row.top_k or row.exact_match is not None}


def _caution(choice: DatasetChoice, store: Store | None, measured: Iterable[Summary]) -> str:
    """Return what keeps published rows and those measured here from being compared."""
    passages, (_, split) = registry().published_passages, choice.single()
    text = f"the published rows are of {split.questions:,} questions over {passages:,} passages of Wikipedia"
    numbers = sorted({summary.questions for summary in measured} - {split.questions})
    reasons = [f"{number:,} questions" for number in numbers]
    if store is not None and len(store) != passages:
        reasons.append(f"{len(store):,} passages")
    if reasons:
        return f"{text}; with {' and '.join(reasons)} yours are not comparable to them"
    return f"{text}; compare them only with a search of the same passages"

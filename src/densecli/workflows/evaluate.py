"""Evaluation: top-k accuracy, exact match, F1 and measures of qrels (paper, sections 5.1 and 6.2)."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.artifacts.recipe import digest_file
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import EvaluateConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import UsageError
from densecli.evaluation.accuracy import (
    QuestionScores,
    Summary,
    Values,
    is_per_cent,
    summarize,
)
from densecli.evaluation.compare import Comparison, compare, shared_order
from densecli.evaluation.question_set import NOT_IN_SET, QuestionSet, each_once
from densecli.evaluation.score import evaluate as score_questions
from densecli.evaluation.significance import bootstrap_interval
from densecli.evaluation.thresholds import parse_ks, parse_thresholds
from densecli.files.bad_records import BadRecords
from densecli.files.names import display_path
from densecli.files.streams import STDIN, display_name
from densecli.formats.lookup import Lookup, Store
from densecli.formats.read_qrels import Qrels, read_qrels
from densecli.formats.read_results import Result, read_results
from densecli.observer import SILENT, Observer
from densecli.records import Question, ranked_of
from densecli.registry.sets import registry
from densecli.workflows.datasets import DatasetChoice, choose_dataset, question_file, read_split_questions
from densecli.workflows.reporting import collect_bad_records, report_skipped, warn_of_patterns
from densecli.workflows.texts import Texts

if TYPE_CHECKING:
    from densecli.evaluation.details import Details

Results = Path | str | Iterable[Result]
NAMED = 3
"""Questions that are named where something is wrong with more of them."""


@dataclass(frozen=True)
class Evaluation:
    """The measures of one or more sets of results.

    Attributes:
        measured: a summary for each name.
        published: rows of the paper and of others for the same split, with the measures that were measured
            here.
        comparisons: each set of results compared with the first, where they have the same questions.
        curves: top-k accuracy in per cent for k = 1, 2, …, for each name.
        inputs: path and SHA-256 of the file that was read, for each name.
        reference: the same of the `questions` and the `qrels`, where there are such files.
        answer_type: how answers were matched: `string`, `regex`, or both; None where only qrels judge.
        note: what to bear in mind of the published rows, or an empty string.
        details: single questions, where they were asked for.
        latencies: of `evaluate_search`: for each stage, milliseconds of one question alone by percentile.
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
    latencies: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

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
    for given in results:
        name, equals, path = given.partition("=")
        if not equals or os.path.exists(given):
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

    Raises:
        InputError: results cannot be read, have a question twice, or have neither `has_answer` nor texts.
        ArtifactError: the dataset is not on this disk and cannot be fetched.
        UsageError: a setting has no effect, or a measure is not known.
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
    asked = None
    if choice is not None:
        config = replace(config, answer_type=config.answer_type or choice.single()[0].answer_type)
    if texts.questions is not None:
        asked = QuestionSet(known.questions.values())
    elif choice is not None:
        rows = read_split_questions(
            choice, question_file(choice, observer), config.answer_type, bad, observer
        )
        asked = QuestionSet(rows, ids=False, own_answers=True)
    report_skipped(bad, observer)
    ks = {*parse_ks(config.top_k), *(one.k for one in thresholds if one.k is not None)}
    kept = None
    if details:
        from densecli.evaluation.details import Details  # only a report needs it

        kept = Details()
    evaluator = _Evaluator(config, sorted(ks), asked, known.store, judgments, kept, observer)
    runs = {name: evaluator.run(name, one) for name, one in sources.items()}
    summaries = {name: run.summary for name, run in runs.items()}
    published = {} if choice is None else _published(choice, list(summaries.values()))
    return Evaluation(
        summaries,
        published,
        _compare(runs, config, observer),
        {name: run.scores.accuracies() for name, run in runs.items()},
        {name: _describe(path) for name, path in sources.items()},
        {"questions": _describe(texts.questions), "qrels": _describe(qrels)},
        " and ".join(sorted(set().union(*(run.scores.answer_types for run in runs.values())))) or None,
        _caution(choice, known.store, summaries.values()) if choice is not None and published else "",
        kept,
    )


@dataclass(frozen=True)
class _Run:
    """What was measured of one set of results.

    Attributes:
        scores: of its questions; None if only qrels say what is right.
        values: (n,) values from 0 to 1 over the questions, by measure.
        judged: (m,) values over the questions of the qrels, by measure.
        summary: the means.
    """

    scores: QuestionScores
    values: Mapping[str, Values]
    judged: Mapping[str, Values]
    summary: Summary


@dataclass(frozen=True)
class _Evaluator:
    """Measures one set of results after the other in the same way.

    Attributes:
        config: how.
        ks: the values of k for top-k accuracy.
        asked: the questions that count, if there is a set of them.
        store: passages for results that hold only ids, if there is one.
        judgments: the measures of qrels and the qrels, if there are some.
        details: where single questions are kept, if they are.
        observer: receives warnings and progress.
    """

    config: EvaluateConfig
    ks: Sequence[int]
    asked: QuestionSet | None
    store: Store | None
    judgments: tuple[Sequence[str], Qrels] | None
    details: "Details | None"
    observer: Observer

    def run(self, row: str, results: Results) -> _Run:
        """Measure one set of results, which has a name of its own."""
        counts: Counter[str] = Counter()
        bad = collect_bad_records(self.config.on_error, self.observer)
        name = display_name(str(results)) if isinstance(results, Path | str) else "results"
        tell = partial(self._tell, name)
        records = self.observer.progress(self._read(results, bad), "evaluate", unit="questions ")
        if self.asked is None:
            records = each_once(records, bad, name)
        else:
            records = self.asked.match(records, counts, bad, name, tell)
        if self.config.answer_type is None:
            records = warn_of_patterns(records, lambda one: ranked_of(one).question, self.observer)
        judge, answered = None, True
        if self.judgments is not None:
            from densecli.evaluation.qrels_measures import QrelsMeasures  # loads ir-measures

            judge = QrelsMeasures(*self.judgments)
            answered, records = _peek(judge.watch(records))
        if answered:
            seen = None if self.details is None else partial(self.details.add, row)
            scored = score_questions(records, self.config, counts, bad, name, seen)
            scores = QuestionScores(bad.usable(name, scored))
            if len(scores) and not scores.judged:
                self.observer.warning(
                    f"{name}: no question has answers, accuracy is not measured; `questions` FILE adds some"
                )
        else:  # only the qrels judge
            counts["questions"] += sum(1 for _ in records)
            scores = QuestionScores(())
        judged = {}
        if judge is not None:
            judged = judge.values()
            counts["questions_without_judgments"] += judge.unjudged
            counts["judged_questions_without_result"] += len(judge.missing)
            if judge.missing:
                tell("judged_questions_without_result", [Question(one, "") for one in judge.missing])
        values = scores.values(self.ks)
        summary = summarize(scores, self.ks)
        summary.counts.update(counts)
        summary.counts.update(bad.counts)
        summary = replace(
            summary,
            questions=len(scores) if answered else sum(map(len, list(judged.values())[:1])),
            measures={measure: float(of_it.mean()) for measure, of_it in judged.items()},
            intervals={
                measure: self._interval(measure, of_it) for measure, of_it in {**values, **judged}.items()
            },
        )
        return _Run(scores, values, judged, summary)

    def _read(self, results: Results, bad: BadRecords) -> Iterator[Result]:
        if not isinstance(results, Path | str):
            return iter(results)
        texts = self.judgments is None and not (self.asked is not None and self.store is not None)
        return read_results(str(results), bad, Lookup(store=self.store), texts=texts)

    def _interval(self, measure: str, values: Values) -> tuple[float, float]:
        low, high = bootstrap_interval(values, self.config.resamples, self.config.seed)
        return (100 * low, 100 * high) if is_per_cent(measure) else (low, high)

    def _tell(self, name: str, what: str, questions: Sequence[Question]) -> None:
        shown = ", ".join(
            f"{one.id!r} ({one.question:.60})" if one.question else f"{one.id!r}" for one in questions[:NAMED]
        )
        more = ", …" if len(questions) > NAMED else ""
        text, outcome = what.replace("_", " "), "are left out" if what == NOT_IN_SET else "count as misses"
        if len(questions) == 1:
            text = text.replace("questions", "question")
            outcome = "is left out" if what == NOT_IN_SET else "counts as a miss"
        self.observer.warning(f"{name}: {len(questions):,} {text}, which {outcome}: {shown}{more}")


def _peek(records: Iterator[Result]) -> tuple[bool, Iterator[Result]]:
    """Return whether results can be matched with answers, by the first that has passages."""
    begun = []
    for record in records:
        begun.append(record)
        ranked = ranked_of(record)
        if ranked.ctxs:
            known = any(ctx.passage.text or ctx.has_answer is not None for ctx in ranked.ctxs)
            return known and bool(ranked.question.answers), chain(begun, records)
    return False, iter(begun)


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


def _compare(runs: Mapping[str, _Run], config: EvaluateConfig, observer: Observer) -> list[Comparison]:
    """Compare each run with the first, as far as they have the same questions."""
    baseline, *others = runs
    first = runs[baseline]
    comparable = {baseline: {**first.values, **first.judged}}
    for name in others:
        run = runs[name]
        order = shared_order(first.scores, run.scores)
        if order is None:
            observer.warning(
                f"{name} and {baseline} are not compared, because their questions differ:"
                " `questions` FILE says which questions count"
            )
        else:
            comparable[name] = {**{measure: values[order] for measure, values in run.values.items()}}
        comparable.setdefault(name, {}).update(run.judged)
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


def _published(choice: DatasetChoice, measured: list[Summary]) -> dict[str, Summary]:
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

"""The measures of one set of results: of its questions, and by relevance judgments."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.configs.asking import EvaluateConfig
from densecli.errors import InputError
from densecli.evaluation.accuracy import (
    QuestionScores,
    Summary,
    Values,
    is_percent,
    summarize,
)
from densecli.evaluation.question_set import NOT_IN_SET, QuestionSet, each_once
from densecli.evaluation.score import evaluate as score_questions
from densecli.evaluation.significance import bootstrap_interval
from densecli.files.bad_records import BadRecords
from densecli.files.count_lines import count_lines
from densecli.files.streams import display_name
from densecli.formats.lookup import Lookup, Store
from densecli.formats.read_qrels import Qrels
from densecli.formats.read_results import read_results
from densecli.observer import Observer
from densecli.records import Prediction, Question, Result, ranked_of
from densecli.workflows.reporting import collect_bad_records, warn_of_patterns

if TYPE_CHECKING:
    from densecli.evaluation.details import Details
    from densecli.evaluation.qrels_measures import QrelsMeasures

Results = Path | str | Iterable[Result]
PEEKED = 100
"""Results that are looked at to see whether they can be matched with answers."""
NAMED = 10
"""Questions that are named where something is wrong with more of them."""


@dataclass(frozen=True)
class MeasuredResults:
    """What was measured of one set of results.

    Attributes:
        scores: of its questions; empty if only qrels say what is right.
        values: (n,) values from 0 to 1 over the questions, by measure.
        judged: (m,) values over the questions of the qrels, by measure.
        summary: the means.
    """

    scores: QuestionScores
    values: Mapping[str, Values]
    judged: Mapping[str, Values]
    summary: Summary


@dataclass(frozen=True)
class Measurer:
    """Measures one set of results after the other in the same way.

    Attributes:
        config: how.
        ks: the values of k for top-k accuracy.
        asked: the questions that count, if there is a set of them.
        store: passages for results that hold only ids, if there is one.
        judgments: the measures of qrels and the qrels, if there are some.
        details: where single questions are kept, if they are.
        observer: receives warnings and progress.
        several: whether there are several sets of results, of which some may have no texts.
    """

    config: EvaluateConfig
    ks: Sequence[int]
    asked: QuestionSet | None
    store: Store | None
    judgments: tuple[Sequence[str], Qrels] | None
    details: "Details | None"
    observer: Observer
    several: bool = False

    def measure(self, row: str, results: Results) -> MeasuredResults:
        """Measure one set of results.

        Args:
            row: its name in tables.
            results: ranked lists, predictions, or the path of a file of them."""
        counts: Counter[str] = Counter()
        bad = collect_bad_records(self.config.on_error, self.observer)
        name = display_name(str(results)) if isinstance(results, Path | str) else "results"
        report = partial(self._report, name)
        records = self.observer.progress(
            self._read(results, bad), "evaluate", count_lines(results), "questions "
        )
        judge = self._open_judge()
        # the ids of a dataset are line numbers, and those of a file may be the file's own
        own_ids = self._has_other_ids()
        if judge is not None and own_ids:
            records = judge.watch(records)
        if self.asked is None:
            records = each_once(records, bad, name)
        else:
            records = self.asked.match(records, counts, bad, name, report)
        if self.config.answer_type is None:
            records = warn_of_patterns(records, lambda one: ranked_of(one).question, self.observer)
        answered = True
        if judge is not None:
            answered, records = _peek(records if own_ids else judge.watch(records))
        if answered:
            seen = None if self.details is None else partial(self.details.add, row)
            scores = QuestionScores(
                score_questions(bad.usable(name, records), self.config, counts, name, seen)
            )
            if len(scores) and not scores.judged:
                self.observer.warning(
                    f"{name}: no question has answers, accuracy is not measured; `questions` FILE adds some"
                )
        else:  # only the qrels judge
            counts["questions"] += sum(1 for _ in records)
            scores = QuestionScores(())
        judged = {} if judge is None else self._judged_values(judge, name, counts)
        values = scores.values(self.ks)
        summary = summarize(scores, self.ks)
        summary.counts.update(counts)
        summary.counts.update(bad.counts)
        summary = replace(
            summary,
            questions=len(scores) if answered or self.judgments is None else len(self.judgments[1]),
            measures={measure: float(of_it.mean()) for measure, of_it in judged.items()},
            intervals={
                measure: self._interval(measure, of_it) for measure, of_it in {**values, **judged}.items()
            },
        )
        return MeasuredResults(scores, values, judged, summary)

    def _read(self, results: Results, bad: BadRecords) -> Iterator[Result]:
        if not isinstance(results, Path | str):
            return Lookup(store=self.store).complete_all(results, bad)
        texts = self.judgments is None and not (self.asked is not None and self.store is not None)
        return read_results(str(results), bad, Lookup(store=self.store), texts=texts, mixed=self.several)

    def _open_judge(self) -> "QrelsMeasures | None":
        if self.judgments is None:
            return None
        from densecli.evaluation.qrels_measures import QrelsMeasures  # loads ir-measures

        return QrelsMeasures(*self.judgments)

    def _has_other_ids(self) -> bool:
        """Whether the ids of the questions that count are others than those of the qrels."""
        if self.asked is None or self.judgments is None:
            return False
        qrels = self.judgments[1]
        return not (self.asked.by_ids and any(question.id in qrels for question in self.asked.questions))

    def _judged_values(self, judge: "QrelsMeasures", name: str, counts: Counter[str]) -> dict[str, Values]:
        """Return the values of the qrels' measures, and count and name what has no partner.

        Raises:
            InputError: the run has none of the questions that are judged.
        """
        if judge.unjudged and not judge.judged:
            raise InputError(
                name, None, "has none of the questions that the qrels judge", "a run with their ids"
            )
        counts["questions_without_judgments"] += judge.unjudged
        counts["judged_questions_without_result"] += len(judge.missing)
        if judge.missing:
            missing = [Question(one, "") for one in judge.missing]
            self._report(name, "judged_questions_without_result", missing)
        return judge.values()

    def _interval(self, measure: str, values: Values) -> tuple[float, float]:
        low, high = bootstrap_interval(values, self.config.resamples, self.config.seed)
        return (100 * low, 100 * high) if is_percent(measure) else (low, high)

    def _report(self, name: str, what: str, questions: Sequence[Question]) -> None:
        shown = ", ".join(
            f"{one.id!r} ({one.question:.60})" if one.question else f"{one.id!r}" for one in questions[:NAMED]
        )
        more = f", and {len(questions) - NAMED:,} more" if len(questions) > NAMED else ""
        text, outcome = what.replace("_", " "), "are left out" if what == NOT_IN_SET else "count as misses"
        if len(questions) == 1:
            text = text.replace("questions", "question")
            outcome = "is left out" if what == NOT_IN_SET else "counts as a miss"
        self.observer.warning(f"{name}: {len(questions):,} {text}, which {outcome}: {shown}{more}")


def _peek(records: Iterator[Result]) -> tuple[bool, Iterator[Result]]:
    """Return whether one of the first results that have passages can be matched with answers."""
    begun, seen = [], 0
    for record in records:
        begun.append(record)
        ranked = ranked_of(record)
        seen += bool(ranked.ctxs)
        known = any(ctx.passage.text or ctx.has_answer is not None for ctx in ranked.ctxs)
        # what was read is compared with the answers, whatever is known of the passages
        if (known or isinstance(record, Prediction)) and ranked.question.answers:
            return True, chain(begun, records)
        if seen == PEEKED:
            break
    return False, chain(begun, records)

"""Tables of measures for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from densecli.cli.terminal import plain_table
from densecli.evaluation.accuracy import Summary, is_per_cent
from densecli.workflows.evaluation_tables import MARK, compared, measure_cells, measure_names, shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from densecli.evaluation.compare import Comparison
    from densecli.reader.tune import TunedSelection
    from densecli.retrieval.weight_sweep import BestWeight
    from densecli.workflows.evaluate import Evaluation


def accuracy_table(summaries: Mapping[str, Summary]) -> "RenderableType":
    """Return one row for each set of results: questions and measures, in per cent but for those of qrels."""
    names = measure_names(summaries)
    return plain_table(
        ["results", "questions", *names], [measure_cells(name, summaries[name], names) for name in summaries]
    )


def evaluation_table(found: "Evaluation") -> "RenderableType":
    """Return a row for each set of results, with its intervals and its differences to the first below it.

    The published rows come last.
    """
    names = measure_names({**found.measured, **found.published})
    rows = []
    for name, summary in found.measured.items():
        rows.append(measure_cells(name, summary, names))
        if summary.intervals:
            bounds = (summary.intervals.get(measure) for measure in names)
            cells = [
                f"{shown(measure, bound[0])}-{shown(measure, bound[1])}" if bound else ""
                for measure, bound in zip(names, bounds, strict=True)
            ]
            rows.append(["  95 %", "", *cells])
        own = compared(found, name)
        if own:
            cells = [_difference(own[measure]) if measure in own else "" for measure in names]
            rows.append(["  difference", "", *cells])
    rows += [measure_cells(name, summary, names) for name, summary in found.published.items()]
    return plain_table(["results", "questions", *names], rows)


def latency_table(latencies: Mapping[str, Mapping[int, float]]) -> "RenderableType":
    """Return the milliseconds of each stage by percentile."""
    percentiles = sorted({one for row in latencies.values() for one in row})
    rows = [[stage, *(f"{row[one]:.1f}" for one in percentiles)] for stage, row in latencies.items()]
    return plain_table(["milliseconds for a question", *(f"p{one}" for one in percentiles)], rows)


def weight_table(best: "BestWeight") -> "RenderableType":
    """Return the accuracy of both sides and of their fusion with the best λ."""
    names = {"bm25": "BM25", "dense": "dense", "hybrid": f"BM25 + {best.weight:.4g} dense"}
    return accuracy_table(
        {label: Summary(best.questions, best.top_k[name], None) for name, label in names.items()}
    )


def selection_tables(tuned: "TunedSelection") -> "list[RenderableType]":
    """Return exact match of both rules, by the number of passages, and precision at each coverage."""
    rules = [
        [
            f"--select {rule}{' (chosen)' * (rule == tuned.selection.rule)}",
            _per_cent(tuned.exact_match[rule]),
            _per_cent(tuned.held_out[rule]),
        ]
        for rule in tuned.exact_match
    ]
    depths = [[f"-k {depth}", _per_cent(value)] for depth, value in tuned.depths.items()]
    precisions = [
        [f"--min-score {one.min_score:.4g}", _per_cent(one.coverage), _per_cent(one.precision)]
        for one in tuned.precisions
    ]
    return [
        plain_table([f"{tuned.questions:,} questions", "EM", "EM held out"], rules),
        plain_table(["passages", "EM"], depths),
        plain_table(["answers", "answered", "right"], precisions),
    ]


def _difference(one: "Comparison") -> str:
    digits = 1 if is_per_cent(one.measure) else 4
    return f"{one.difference:+.{digits}f}{MARK if one.significant else ''}"


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

"""Tables of measures: for people, for spreadsheets, and for papers."""

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from densecli.cli.terminal import plain_table
from densecli.evaluation.accuracy import Summary, is_per_cent

if TYPE_CHECKING:
    from rich.console import RenderableType

    from densecli.evaluation.compare import Comparison
    from densecli.reader.tune import TunedSelection
    from densecli.retrieval.weight_sweep import BestWeight
    from densecli.workflows.evaluate import Evaluation

MARK = "*"
LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip
COLUMNS = (
    "results", "published", "questions", "measure", "value", "low", "high", "baseline", "difference", "p",
    "p_holm",
)  # fmt: skip


def accuracy_table(summaries: Mapping[str, Summary]) -> "RenderableType":
    """Return one row for each set of results: questions and measures, in per cent but for those of qrels."""
    names = _measures(summaries)
    return plain_table(
        ["results", "questions", *names], [_row(name, summaries[name], names) for name in summaries]
    )


def evaluation_table(found: "Evaluation") -> "RenderableType":
    """Return a row for each set of results, with its intervals and its differences to the first below it.

    The published rows come last.
    """
    names = _measures({**found.measured, **found.published})
    rows = []
    for name, summary in found.measured.items():
        rows.append(_row(name, summary, names))
        if summary.intervals:
            bounds = (summary.intervals.get(measure) for measure in names)
            cells = [
                f"{_shown(measure, bound[0])}-{_shown(measure, bound[1])}" if bound else ""
                for measure, bound in zip(names, bounds, strict=True)
            ]
            rows.append(["  95 %", "", *cells])
        compared = _compared(found, name)
        if compared:
            cells = [_difference(compared[measure]) if measure in compared else "" for measure in names]
            rows.append(["  difference", "", *cells])
    rows += [_row(name, summary, names) for name, summary in found.published.items()]
    return plain_table(["results", "questions", *names], rows)


def latency_table(latencies: Mapping[str, Mapping[int, float]]) -> "RenderableType":
    """Return the milliseconds of each stage by percentile."""
    percentiles = sorted({one for row in latencies.values() for one in row})
    rows = [[stage, *(f"{row[one]:.1f}" for one in percentiles)] for stage, row in latencies.items()]
    return plain_table(["milliseconds for a question", *(f"p{one}" for one in percentiles)], rows)


def legend(found: "Evaluation", resamples: int) -> str:
    """Return what the intervals, differences and marks of a table are, in a sentence."""
    told = f"95 %: bootstrap interval of {resamples:,} resamples"
    if found.comparisons:
        told += (
            f"; difference: to {found.comparisons[0].baseline}, {MARK} where p < 0.05 in a paired"
            f" randomization test (Holm's correction for {len(found.comparisons)} comparisons)"
        )
    return told


def markdown_table(found: "Evaluation", resamples: int) -> str:
    """Return measures with their intervals as a table in Markdown; a star marks a significant difference."""
    names = _measures({**found.measured, **found.published})
    lines = [["results", "questions", *names], [":--", *["--:"] * (len(names) + 1)]]
    for name, summary in {**found.measured, **found.published}.items():
        compared = _compared(found, name)
        cells = []
        for measure in names:
            value = summary.values().get(measure)
            bounds = summary.intervals.get(measure)
            shown = "-" if value is None else _shown(measure, value)
            mark = MARK if measure in compared and compared[measure].significant else ""
            interval = f" ({_shown(measure, bounds[0])}–{_shown(measure, bounds[1])})" if bounds else ""
            cells.append(f"{shown}{mark and chr(92) + mark}{interval}")
        lines.append(
            [_one_line(name).replace("\\", "\\\\").replace("|", "\\|"), f"{summary.questions:,}", *cells]
        )
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{table}\n{legend(found, resamples).replace(MARK, chr(92) + MARK)}.\n"


def latex_table(found: "Evaluation") -> str:
    """Return measures as a LaTeX table with booktabs rules; a star marks a significant difference."""
    names = _measures({**found.measured, **found.published})
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(names) + 1)}}}",
        r"\toprule",
        " & ".join(_latex(name) for name in ("results", "questions", *names)) + r" \\",
        r"\midrule",
    ]
    for number, (name, summary) in enumerate({**found.measured, **found.published}.items()):
        if number == len(found.measured):
            lines.append(r"\midrule")
        compared = _compared(found, name)
        cells = [
            cell + ("$^{*}$" if measure in compared and compared[measure].significant else "")
            for measure, cell in zip(names, _row(name, summary, names)[2:], strict=True)
        ]
        lines.append(" & ".join([_latex(_one_line(name)), f"{summary.questions:,}", *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def csv_table(found: "Evaluation") -> str:
    """Return a line for each measure of each set of results, with interval and difference to the first."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for name, summary in {**found.measured, **found.published}.items():
        compared = _compared(found, name)
        for measure, value in summary.values().items():
            low, high = summary.intervals.get(measure, (None, None))
            row: dict[str, Any] = {
                "results": name,
                "published": "yes" if name in found.published else "no",
                "questions": summary.questions,
                "measure": measure,
                "value": _rounded(value),
                "low": _rounded(low),
                "high": _rounded(high),
            }
            if measure in compared:
                told = compared[measure].to_json()
                row |= {key: told[key] for key in ("baseline", "difference", "p", "p_holm")}
            writer.writerow(row)
    return stream.getvalue()


def weight_table(best: "BestWeight") -> "RenderableType":
    """Return the accuracy of both sides and of their fusion with the best λ."""
    names = {"bm25": "BM25", "dense": "dense", "hybrid": f"BM25 + {best.weight:.4g} dense"}
    return accuracy_table(
        {told: Summary(best.questions, best.top_k[name], None) for name, told in names.items()}
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


def _measures(summaries: Mapping[str, Summary]) -> list[str]:
    """Return the names of all measures: top-k accuracies by k, then the others as they come."""
    names = dict.fromkeys(name for summary in summaries.values() for name in summary.values())
    top = sorted((name for name in names if name.startswith("top-")), key=lambda name: int(name[4:]))
    return [*top, *(name for name in names if not name.startswith("top-"))]


def _row(name: str, summary: Summary, measures: list[str]) -> list[str]:
    values = summary.values()
    cells = ("-" if values.get(one) is None else _shown(one, values[one]) for one in measures)
    return [name, f"{summary.questions:,}", *cells]


def _compared(found: "Evaluation", name: str) -> "dict[str, Comparison]":
    return {one.measure: one for one in found.comparisons if one.run == name and name in found.measured}


def _difference(one: "Comparison") -> str:
    digits = 1 if is_per_cent(one.measure) else 4
    return f"{one.difference:+.{digits}f}{MARK if one.significant else ''}"


def _shown(measure: str, value: float) -> str:
    return f"{value:.1f}" if is_per_cent(measure) else f"{value:.4f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _latex(text: str) -> str:
    return "".join(LATEX.get(sign, sign) for sign in text)


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

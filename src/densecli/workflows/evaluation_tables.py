"""What was measured as a table, and for programs, papers and spreadsheets: JSON, Markdown, LaTeX and CSV."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from densecli.configs.asking import EvaluateConfig
from densecli.evaluation.accuracy import Summary, is_percent
from densecli.evaluation.compare import Comparison
from densecli.files.jsonl import encode_line
from densecli.files.streams import display_name
from densecli.report.text_table import TextTable
from densecli.workflows.evaluate import Evaluation, Latency

SCHEMA = 1
"""Of the JSON document; another number means that old readers cannot read it."""
MARK = "*"
LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip
COLUMNS = (
    "results", "published", "questions", "measure", "value", "low", "high", "baseline", "difference", "p",
    "p_holm",
)  # fmt: skip


def evaluation_bytes(found: Evaluation, config: EvaluateConfig, form: str) -> bytes:
    """Return what was measured in a format: `jsonl`, `json`, `csv`, `md` or `latex`.

    Args:
        found: what was measured; only JSON has the latencies.
        config: how.
        form: the format.
    """
    if form in ("csv", "latex"):
        return (csv_table if form == "csv" else latex_table)(found).encode()
    if form == "md":
        return markdown_table(found, config.resamples).encode()
    measured, published, comparisons = _records(found, config)
    if found.latencies:
        measured[0]["latency_ms"] = {
            stage: {
                "questions": row.questions,
                **{f"p{one}": row.milliseconds[one] for one in row.milliseconds},
            }
            for stage, row in found.latencies.items()
        }
    if form == "jsonl":
        return b"".join(map(encode_line, [*measured, *published, *comparisons]))
    parts = {"results": measured, "published": published, "comparisons": comparisons}
    return encode_line({"schema": SCHEMA, **found.reference, "note": found.note, **parts})


def _records(found: Evaluation, config: EvaluateConfig) -> tuple[list[dict[str, Any]], ...]:
    """Return what was measured, what is published, and the comparisons, as records."""
    measured = [
        {
            "results": name,
            **summary.to_json(),
            "input": found.inputs.get(name),
            "reference": found.reference,
            "answer_type": found.answer_type,
            "resamples": config.resamples,
            "seed": config.seed,
        }
        for name, summary in found.measured.items()
    ]
    published = [
        {"results": name, "published": True, "note": found.note, **summary.to_json()}
        for name, summary in found.published.items()
    ]
    return measured, published, [one.to_json() for one in found.comparisons]


def measure_names(summaries: Mapping[str, Summary]) -> list[str]:
    """Return the names of all measures: top-k accuracies by k, then the others as they come."""
    names = dict.fromkeys(name for summary in summaries.values() for name in summary.values())
    top = sorted((name for name in names if name.startswith("top-")), key=lambda name: int(name[4:]))
    return [*top, *(name for name in names if not name.startswith("top-"))]


def measure_cells(name: str, summary: Summary, measures: list[str]) -> list[str]:
    """Return the cells of one row: its name, the number of questions, and each measure."""
    values = summary.values()
    cells = ("-" if values.get(one) is None else format_value(one, values[one]) for one in measures)
    return [name, f"{summary.questions:,}", *cells]


def comparisons_of(found: Evaluation, name: str) -> dict[str, Comparison]:
    """Return the differences of one set of results to the first, by measure."""
    return {one.measure: one for one in found.comparisons if one.run == name and name in found.measured}


def format_value(measure: str, value: float) -> str:
    """Return a value as tables show it."""
    return f"{value:.1f}" if is_percent(measure) else f"{value:.4f}"


def difference(one: Comparison) -> str:
    """Return a difference to the baseline as tables show it."""
    digits = 1 if is_percent(one.measure) else 4
    return f"{one.difference:+.{digits}f}"


def accuracy_table(summaries: Mapping[str, Summary]) -> TextTable:
    """Return one row for each set of results: questions and measures, in percent but for those of qrels."""
    names = measure_names(summaries)
    rows = [measure_cells(name, summary, names) for name, summary in summaries.items()]
    return TextTable(["results", "questions", *names], rows)


def evaluation_table(found: Evaluation) -> TextTable:
    """Return a row for each set of results, with its intervals and its differences to the first below it.

    The published rows come last. `legend` explains the marks.
    """
    names = measure_names({**found.measured, **found.published})
    rows = []
    for name, summary in found.measured.items():
        rows.append(measure_cells(name, summary, names))
        if summary.intervals:
            bounds = (summary.intervals.get(measure) for measure in names)
            cells = [
                f"{format_value(measure, bound[0])}-{format_value(measure, bound[1])}" if bound else ""
                for measure, bound in zip(names, bounds, strict=True)
            ]
            rows.append(["  95 %", "", *cells])
        own = comparisons_of(found, name)
        if own:
            cells = [_marked_difference(own[measure]) if measure in own else "" for measure in names]
            rows.append(["  difference", "", *cells])
    rows += [measure_cells(name, summary, names) for name, summary in found.published.items()]
    return TextTable(["results", "questions", *names], rows)


def latency_table(latencies: Mapping[str, Latency]) -> TextTable:
    """Return the milliseconds of each stage by percentile."""
    percentiles = sorted({one for row in latencies.values() for one in row.milliseconds})
    rows = [
        [stage, f"{row.questions:,}", *(f"{row.milliseconds[one]:.1f}" for one in percentiles)]
        for stage, row in latencies.items()
    ]
    return TextTable(["milliseconds for a question", "questions", *(f"p{one}" for one in percentiles)], rows)


def legend(found: Evaluation, resamples: int) -> str:
    """Return what the intervals, differences and marks of a table are, in a sentence."""
    text = f"95 %: bootstrap interval of {resamples:,} resamples"
    if found.comparisons:
        text += (
            f"; difference: to {found.comparisons[0].baseline}, {MARK} where p < 0.05 in a paired"
            f" randomization test (Holm's correction for {len(found.comparisons)} comparisons)"
        )
    return text


def describe_sources(found: Evaluation) -> str:
    """Return how answers were matched and the files that were measured, in a sentence."""
    parts = [] if found.answer_type is None else [f"answers matched as {found.answer_type}"]
    files = [*found.inputs.values(), *found.reference.values()]
    return "; ".join(parts + [describe_source(one) for one in files if one])


def describe_source(source: Mapping[str, str | None], digits: int = 12) -> str:
    """Return the path of what was measured, with the digests that identify it."""
    names = {"sha256": "SHA-256", "collection": "collection", "reader": "reader"}
    digests = [f"{name} {value[:digits]}" for key, name in names.items() if (value := source.get(key))]
    return display_name(str(source["path"])) + (f" ({', '.join(digests)})" if digests else "")


def markdown_table(found: Evaluation, resamples: int) -> str:
    """Return measures with their intervals as a table in Markdown; a star marks a significant difference."""
    names = measure_names({**found.measured, **found.published})
    lines = [["results", "questions", *names], [":--", *["--:"] * (len(names) + 1)]]
    for name, summary in {**found.measured, **found.published}.items():
        own = comparisons_of(found, name)
        cells = []
        for measure in names:
            value = summary.values().get(measure)
            bounds = summary.intervals.get(measure)
            cell = "-" if value is None else format_value(measure, value)
            mark = MARK if measure in own and own[measure].significant else ""
            interval = (
                f" ({format_value(measure, bounds[0])}–{format_value(measure, bounds[1])})" if bounds else ""
            )
            cells.append(f"{cell}{mark and chr(92) + mark}{interval}")
        lines.append(
            [_one_line(name).replace("\\", "\\\\").replace("|", "\\|"), f"{summary.questions:,}", *cells]
        )
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    about = [legend(found, resamples).replace(MARK, chr(92) + MARK), describe_sources(found), found.note]
    return f"{table}\n" + "\n".join(f"{one.removesuffix('.')}." for one in about if one) + "\n"


def latex_table(found: Evaluation) -> str:
    """Return measures as a LaTeX table with booktabs rules; a star marks a significant difference."""
    names = measure_names({**found.measured, **found.published})
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(names) + 1)}}}",
        r"\toprule",
        " & ".join(_latex(name) for name in ("results", "questions", *names)) + r" \\",
        r"\midrule",
    ]
    for number, (name, summary) in enumerate({**found.measured, **found.published}.items()):
        if number == len(found.measured):
            lines.append(r"\midrule")
        own = comparisons_of(found, name)
        cells = [
            cell + ("$^{*}$" if measure in own and own[measure].significant else "")
            for measure, cell in zip(names, measure_cells(name, summary, names)[2:], strict=True)
        ]
        lines.append(" & ".join([_latex(_one_line(name)), f"{summary.questions:,}", *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def csv_table(found: Evaluation) -> str:
    """Return a line for each measure of each set of results, with interval and difference to the first."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for name, summary in {**found.measured, **found.published}.items():
        own = comparisons_of(found, name)
        for measure, value in summary.values().items():
            low, high = summary.intervals.get(measure, (None, None))
            row: dict[str, Any] = {
                "results": name,
                "published": "yes" if name in found.published else "no",
                "questions": summary.questions,
                "measure": measure,
                "value": _round(value),
                "low": _round(low),
                "high": _round(high),
            }
            if measure in own:
                difference = own[measure].to_json()
                row |= {key: difference[key] for key in ("baseline", "difference", "p", "p_holm")}
            writer.writerow(row)
    return stream.getvalue()


def _marked_difference(one: Comparison) -> str:
    return difference(one) + (MARK if one.significant else "")


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _latex(text: str) -> str:
    return "".join(LATEX.get(sign, sign) for sign in text)

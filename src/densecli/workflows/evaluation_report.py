"""The report of an evaluation as one HTML page, and the picture of its curves."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from densecli.configs.asking import EvaluateConfig
from densecli.errors import ArtifactError, UsageError
from densecli.evaluation.accuracy import top_name
from densecli.evaluation.details import Details, QuestionDetail, groups_of
from densecli.evaluation.significance import ALPHA
from densecli.report.accuracy_curves import accuracy_svg
from densecli.report.page import Cell, Page, Table, render_page
from densecli.workflows.evaluate import Evaluation
from densecli.workflows.evaluation_tables import (
    describe_source,
    difference,
    format_value,
    measure_names,
)

FULL = 64
"""Digits of a SHA-256."""


def check_plot(path: Path | None) -> None:
    """Refuse a picture that cannot be drawn, before anything is measured.

    Raises:
        UsageError: the name ends neither in .svg nor in .png.
        ArtifactError: it is a PNG, and matplotlib is not installed.
    """
    if path is None:
        return
    if path.suffix.lower() not in (".svg", ".png"):
        raise UsageError(f"`plot` is {str(path)!r}; expected a name that ends in .svg or .png")
    if path.suffix.lower() == ".png" and find_spec("matplotlib") is None:
        raise ArtifactError(
            f"{path}: matplotlib is not installed; run `pip install matplotlib`, or write an .svg"
        )


def accuracy_picture(found: Evaluation, path: Path) -> bytes:
    """Return the bytes of a picture of accuracy over k, PNG or SVG as the name of its file says.

    Raises:
        UsageError: nothing has an accuracy: only qrels judge the results.
    """
    if not any(found.curves.values()):
        raise UsageError("`plot` has an effect only on results whose passages can be matched with answers")
    if path.suffix.lower() == ".svg":
        return accuracy_svg(found.curves).encode()
    from densecli.report.accuracy_png import accuracy_png  # loads matplotlib, which is optional

    return accuracy_png(found.curves)


def evaluation_report(found: Evaluation, config: EvaluateConfig | None = None) -> str:
    """Return a self-contained HTML page.

    Args:
        found: what was measured, with `details=True` where single questions are to be shown.
        config: how it was measured.
    """
    config = config or EvaluateConfig()
    about = [
        f"95 % intervals: bootstrap with {config.resamples:,} resamples."
        + (
            f" Answers are matched as {found.answer_type}; titles are not searched."
            if found.answer_type
            else ""
        )
    ]
    for name, one in {**found.inputs, **found.reference}.items():
        if one is not None:
            about.append(f"{name}: {describe_source(one, FULL)}")
    if found.note:
        about.append(f"{found.note[0].upper()}{found.note[1:]}.")
    tables = [_summary_table(found)]
    if found.comparisons:
        tables.append(_comparison_table(found))
    curves = {name: values for name, values in found.curves.items() if len(values) > 1}
    details = found.details
    ks = sorted({k for summary in found.measured.values() for k in summary.top_k})
    shown = details is not None and details.questions and ks
    return render_page(
        Page(
            "Evaluation of " + ", ".join(found.measured),
            about,
            tables,
            accuracy_svg(curves) if curves else "",
            _group_tables(details.questions.values(), found, ks) if details is not None and shown else (),
            _questions(details, list(found.measured), ks) if details is not None and shown else None,
        )
    )


def _summary_table(found: Evaluation) -> Table:
    summaries = {**found.measured, **found.published}
    names = measure_names(summaries)
    rows = []
    for run, summary in summaries.items():
        values = summary.values()
        cells = [Cell(run), Cell(f"{summary.questions:,}")]
        for name in names:
            if name not in values:
                cells.append(Cell("-"))
                continue
            bounds = summary.intervals.get(name)
            note = f"{format_value(name, bounds[0])}-{format_value(name, bounds[1])}" if bounds else ""
            cells.append(Cell(format_value(name, values[name]), note))
        rows.append(cells)
    caption = "Top-k accuracy, EM and F1 in percent; below them 95 % confidence intervals."
    return Table("Measures", ["results", "questions", *names], rows, caption, len(found.published))


def _comparison_table(found: Evaluation) -> Table:
    rows = []
    for one in found.comparisons:
        style = "" if not one.significant else "better" if one.difference > 0 else "worse"
        rows.append(
            [
                Cell(f"{one.run} against {one.baseline}"),
                Cell(one.measure),
                Cell(difference(one), style=style),
                Cell(f"{one.p:.4f}"),
                Cell(f"{one.p_holm:.4f}"),
                Cell("yes" if one.significant else "no"),
            ]
        )
    header = ["runs", "measure", "difference", "p", "p (Holm)", f"significant at {ALPHA}"]
    caption = "Paired randomization tests, corrected for their number after Holm."
    return Table("Differences", header, rows, caption)


def _group_tables(details: Any, found: Evaluation, ks: Sequence[int]) -> list[Table]:
    """Return tables of groups of questions: top-k accuracy, for two of the k, and exact match of each run."""
    runs = list(found.measured)
    chosen = sorted({ks[0], 20 if 20 in ks else ks[-1]})
    measures = [(top_name(k), k) for k in chosen]
    read = {run for run, summary in found.measured.items() if summary.exact_match is not None}
    ranked = {run for run, summary in found.measured.items() if summary.top_k}
    if read:
        measures.append(("EM", 0))
    header = ["", "questions", *(f"{run} {name}" for name, _ in measures for run in runs)]
    tables = []
    for kind, groups in groups_of(details).items():
        rows = [
            [
                Cell(name),
                Cell(f"{len(group):,}"),
                *(_rate(group, run, k, run in (ranked if k else read)) for _, k in measures for run in runs),
            ]
            for name, group in groups.items()
        ]
        tables.append(Table(f"By {kind}", header, rows))
    return tables


def _rate(group: Sequence[QuestionDetail], run: str, k: int, measured: bool) -> Cell:
    """Return the share of a run's questions with an answer in the first k passages; for k = 0, read right.

    Where anything was read, a question that was not is wrong.
    """
    asked = [one for one in group if run in one.ranks]
    if not asked or not measured:
        return Cell("-")
    right = (0 < one.ranks[run] <= k if k else one.exact.get(run, False) for one in asked)
    value = 100 * sum(right) / len(asked)
    return Cell(f"{value:.1f}", bar=value)


def _with_texts(passages: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return passages by run; one without a text, as in predictions, gets that of another run."""
    whole = {one["id"]: one for found in passages.values() for one in found if any(one["parts"])}
    return {
        run: [one if any(one["parts"]) else {**whole.get(one["id"], one), **_place(one)} for one in found]
        for run, found in passages.items()
    }


def _place(passage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: passage[name] for name in ("rank", "score")}


def _questions(details: Details, runs: Sequence[str], ks: Sequence[int]) -> dict[str, Any]:
    kept = details.most_different(ks)
    rows = []
    for key, one in details.questions.items():
        row: dict[str, Any] = {
            "id": one.id,
            "question": one.question,
            "answers": one.answers,
            "word": one.word,
            "ranks": one.ranks,
            "exact": one.exact,
            "read": one.read,
        }
        if key in kept:
            row["passages"] = _with_texts(one.passages)
        rows.append(row)
    return {"runs": list(runs), "ks": list(ks), "questions": rows}

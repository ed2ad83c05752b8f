"""Accuracy tables for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from densecli.cli.terminal import plain_table
from densecli.evaluation.accuracy import Summary

if TYPE_CHECKING:
    from rich.console import RenderableType

    from densecli.reader.tune import TunedSelection
    from densecli.retrieval.weight_sweep import BestWeight


def accuracy_table(summaries: Mapping[str, Summary]) -> "RenderableType":
    """Return one row for each set of results: questions, top-k accuracy and exact match in per cent."""
    ks = sorted({k for summary in summaries.values() for k in summary.top_k})
    read = any(summary.exact_match is not None for summary in summaries.values())
    header = ["results", "questions", *(f"top-{k}" for k in ks), *(["EM"] if read else [])]
    rows = [
        [
            name,
            f"{summary.questions:,}",
            *(_per_cent(summary.top_k.get(k)) for k in ks),
            *([_per_cent(summary.exact_match)] if read else []),
        ]
        for name, summary in summaries.items()
    ]
    return plain_table(header, rows)


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


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

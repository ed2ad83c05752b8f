"""The intervals and p-values of reader_run.py against SciPy's, on the same answers.

    python benchmarks/reader_statistics.py WORK/reader-run.json

SciPy's bootstrap (percentiles) and its paired permutation test get the exact match of each question. Prints
how far apart the two are at most.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from reader_page import read_in, set_of
from scipy import stats

from densecli.text.normalize import exact_match

RESAMPLES = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", type=Path)
    options = parser.parse_args()
    figures = json.loads(options.figures.read_text())
    rows = [json.loads(row) for row in (options.figures.parent / "answers.jsonl").open("rb")]
    bounds = interval_distance(figures, rows)
    tests = test_distance(figures, rows)
    print(f"{len(bounds)} intervals: at most {max(bounds):.2f} points apart")
    print(f"{len(tests)} p-values, before Holm's correction: at most {max(tests):.4f} apart")


def scored(rows: list[Any], figures: Mapping[str, Any], name: str, mode: str, k: int) -> Any:
    """Return (n,) 1 for each question of a set that was answered exactly, else 0."""
    cut = figures["cuts"].index(k)
    its = [(row, read_in(row, mode, cut)) for row in rows if set_of(row) == name]
    right = [
        span is not None and exact_match(span["answer"], row["answers"], row["answer_type"])
        for row, span in its
    ]
    return np.array(right, dtype=float)


def interval_distance(figures: Mapping[str, Any], rows: list[Any]) -> list[float]:
    """Return how many points the bounds of each interval are apart, the larger of both."""
    found = []
    for name, one in figures["sets"].items():
        for mode, cells in one["EM"].items():
            for k, (_, *ours) in zip(figures["cuts"], cells, strict=True):
                values = 100 * scored(rows, figures, name, mode, k)
                theirs = stats.bootstrap(
                    (values,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=0, batch=1000
                ).confidence_interval
                found.append(max(abs(theirs.low - ours[0]), abs(theirs.high - ours[1])))
    return found


def test_distance(figures: Mapping[str, Any], rows: list[Any]) -> list[float]:
    """Return how far the p-values of each paired test of exact match are apart."""
    found = []
    for one in figures["compared"]:
        if one["measure"] != "EM":
            continue
        pair = [scored(rows, figures, one["set"], mode, one["k"]) for mode in ("hybrid", one["against"])]
        theirs = stats.permutation_test(
            pair,
            lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples",
            n_resamples=RESAMPLES,
            vectorized=True,
            batch=1000,
            rng=0,
        ).pvalue
        found.append(abs(theirs - one["p_alone"]))
    return found


if __name__ == "__main__":
    main()

"""The page docs/runs/equal-budget.md, from the figures of equal_budget_run.py."""

import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_page import header, line
from reference.paired import CUTS

INTRODUCTION = Path(__file__).parent / "equal_budget_run.md"
SETS = {"webq": "WebQuestions", "trec": "CuratedTREC", "nq": "NQ"}
KINDS = {
    "reference": "set as the reference",
    "own": "our defaults, same budget",
    "dot": "the same, `--similarity dot`",
}
EPOCH = 992  # questions in 31 updates
DEV = 128
SEED = r"\b\d{5}\b"
# Within so many standard deviations of the mean of 2 or 3 values lies one more of them in 95 of 100 cases:
# Student's t times sqrt(1 + 1/n).
ONE_MORE = {2: 15.56, 3: 4.97}
# The authors' training code with these settings on the same files; its vectors searched elsewhere.
REFERENCE: dict[str, Any] = {
    "loss": 1.501,
    "accuracy": 603 / EPOCH,
    "dev_loss": 1.328,
    "dev_accuracy": 71 / DEV,
    "top_k": {
        "webq": [13.1, 27.0, 38.5, 49.8],
        "trec": [25.6, 43.2, 57.5, 71.2],
        "nq": [48.2, 69.1, 76.5, 81.6],
    },
}
PUBLISHED = {
    "webq": [15.7, 29.0, 39.4, 50.5],
    "trec": [30.4, 48.7, 61.7, 73.5],
    "nq": [63.1, 75.9, 80.0, 83.4],
}
Found = Mapping[str, Any]
Measure = Callable[[Found], float]


def measures() -> Iterator[tuple[str, str, Measure]]:
    """Yield what is compared: its name, how it is written, and how it is had from an arm's figures."""
    yield "mean training loss", ".3f", lambda found: found["loss"]
    yield f"correct of {EPOCH} in training", ".0f", lambda found: EPOCH * found["accuracy"]
    yield "dev NLL", ".3f", lambda found: found["dev_loss"]
    yield f"correct of {DEV} dev questions", ".0f", lambda found: DEV * found["dev_accuracy"]
    for name, title in SETS.items():
        for place, k in enumerate(CUTS):
            yield f"{title} top-{k}", ".1f", lambda found, name=name, place=place: found["top_k"][name][place]


def page(figures: Mapping[str, Any]) -> str:
    """Return the page: introduction, accuracy of all arms, the reference beside each, costs."""
    libraries = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    lines = [INTRODUCTION.read_text().strip(), ""]
    lines += [f"{figures['date']}, {figures['machine']}, Python {figures['python']}; {libraries}.", ""]
    lines += [f"## Accuracy over {figures['passages']:,} passages", "", "Top-1/5/20/100 in percent.", ""]
    lines += header("", ["training loss", "dev NLL", *SETS.values()])
    lines += accuracy(figures["arms"])
    for kind, tell in (("reference", comparison), ("own", gains)):
        seeds = [found for arm, found in figures["arms"].items() if arm.startswith(kind)]
        if len(seeds) > 1 or (seeds and kind == "own"):
            lines += ["", f"## {KINDS[kind].capitalize()}: the mean of {len(seeds)}", "", *tell(seeds)]
    lines += ["", "## Commands and costs", "", "CPU seconds are the mean of the seeds.", ""]
    lines += [*header("command", ["CPU seconds", "peak memory"]), *costs(figures["steps"])]
    return "\n".join(lines) + "\n"


def accuracy(arms: Mapping[str, Found]) -> Iterator[str]:
    """Yield a row for each arm, the reference's and the published base model's first."""
    yield scores("*the reference after that epoch*", REFERENCE)
    for kind, title in KINDS.items():
        seeds = {arm: found for arm, found in arms.items() if arm.startswith(kind)}
        for arm, found in seeds.items():
            yield scores(f"{title}, seed {arm.rpartition('-')[2]}", found)
    yield scores("*all-MiniLM-L6-v2 as published*", {"top_k": PUBLISHED})
    if "base" in arms:
        yield scores("the same by our commands, untrained", arms["base"])


def comparison(seeds: Sequence[Found]) -> Iterator[str]:
    """Yield a table of each measure: the reference's, ours, and how far it is in our standard deviations."""
    yield from header(
        "",
        ["reference", "our mean", "sd", "least to most", "reference less ours", "in sd", "the reference is"],
    )
    for title, form, measure in measures():
        ours = [measure(found) for found in seeds]
        theirs, mean, spread = measure(REFERENCE), statistics.mean(ours), statistics.stdev(ours)
        away = (theirs - mean) / spread if spread else math.copysign(math.inf, theirs - mean)
        cells = [format(value, form) for value in (theirs, mean)]
        cells += [f"{spread:.2g}", f"{format(min(ours), form)} to {format(max(ours), form)}"]
        cells += [format(theirs - mean, f"+{form}"), f"{away:+.1f}", verdict(theirs, ours, away)]
        yield line(title, cells)


def gains(seeds: Sequence[Found]) -> Iterator[str]:
    """Yield a table of each measure: the reference's, ours, and the difference."""
    yield from header("", ["reference", "our mean", "least to most", "ours less the reference's"])
    for title, form, measure in measures():
        ours = [measure(found) for found in seeds]
        theirs, mean = measure(REFERENCE), statistics.mean(ours)
        cells = [format(value, form) for value in (theirs, mean)]
        cells.append(f"{format(min(ours), form)} to {format(max(ours), form)}")
        yield line(title, [*cells, format(mean - theirs, f"+{form}")])


def verdict(theirs: float, ours: Sequence[float], away: float) -> str:
    """Return where a value stands beside those of our seeds."""
    if min(ours) <= theirs <= max(ours):
        return "between our seeds"
    if abs(away) <= 2:
        return "within 2 sd"
    if abs(away) <= ONE_MORE[len(ours)]:
        return "where one more seed may be"
    return "above all that" if away > 0 else "below all that"


def scores(title: str, found: Found) -> str:
    """Return a row of the table of accuracy."""
    cells = [f"{found[name]:.3f}" if name in found else "" for name in ("loss", "dev_loss")]
    return line(title, cells + ["/".join(f"{value:.1f}" for value in found["top_k"][name]) for name in SETS])


def costs(steps: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row for each command, those that differ by the seed alone as one."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for step, cost in steps.items():
        groups.setdefault(re.sub(SEED, "SEED", step), []).append(cost)
    for step, taken in groups.items():
        seconds = statistics.mean(cost["cpu_seconds"] for cost in taken)
        peak = max(cost["peak_mb"] for cost in taken)
        yield line(f"`densecli {step}`", [f"{seconds:,.0f}", f"{peak:,} MB"])

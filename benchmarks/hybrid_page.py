"""The page docs/runs/hybrid.md, from the figures of hybrid_run.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reference.paired import CUTS

INTRODUCTION = Path(__file__).parent / "hybrid_run.md"
TITLES = {
    "bm25": "BM25",
    "dense": "dense",
    "hybrid": "hybrid: BM25 + λ·sim",
    "paper": "the same with λ = 1.1 (`--preset paper`)",
    "rrf": "reciprocal ranks of the first 100 (`--fusion rrf`)",
    "min": "Pyserini's rule (`--missing min`), its own λ",
}
# Over the same 433,371 passages with other programs: top-1/5/20/100 of the sets in the order above.
ELSEWHERE = {
    "Lucene (Pyserini 0.22.1)": "38.4/60.9/72.8/81.9 40.2/56.2/65.0/72.7 22.4/43.0/55.3/66.4 "
    "36.5/62.5/76.1/84.6 64.3/82.9/91.4/96.1",
    "all-MiniLM-L6-v2 as published": "54.3/75.1/82.5/86.8 42.6/58.6/66.7/74.3 28.0/48.4/61.8/70.6 "
    "48.8/69.0/78.2/86.3 43.3/70.4/83.1/91.7",
    "reciprocal ranks of those two": "49.6/71.7/81.9/87.2 43.9/60.7/68.9/75.5 30.0/49.2/63.2/71.3 "
    "48.0/71.6/80.7/87.8 61.8/83.8/93.7/97.7",
}


def page(
    titles: Mapping[str, str],
    figures: Mapping[str, Any],
    steps: Sequence[tuple[str, Mapping[str, str]]],
    done: Mapping[str, Any],
) -> str:
    """Return the page.

    Args:
        titles: of the sets, by name.
        figures: of all rows and sets.
        steps: commands as they are shown, and those that each stands for.
        done: what each of those took.
    """
    libraries = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    lines = [INTRODUCTION.read_text().strip(), ""]
    lines += [
        f"{figures['date']}, {figures['machine']}, Python {figures['python']}; {libraries}.",
        f"{figures['passages']:,} passages; retriever {figures['retriever']}.", "", "## Accuracy", "",
        "Percent of the questions with an answer in the first 1/5/20/100 passages.", "",
    ]  # fmt: skip
    lines += header(
        "", [f"{title} ({figures['questions'][name]['test']:,})" for name, title in titles.items()]
    )
    for row, by_name in figures["accuracy"].items():
        cells = ["/".join(f"{value:.1f}" for value in values) for values in by_name.values()]
        lines.append(line(TITLES[row], cells))
    lines += [line(f"*{name}*", cells.split()) for name, cells in ELSEWHERE.items()]
    lines += [
        "",
        "## Is both better than the better one?",
        "",
        "Points gained over the better side, and p.",
        "",
    ]
    lines += header("", [f"top-{k}" for k in CUTS])
    for name, cuts in figures["paired"].items():
        cells = [f"{one['gain']:+.1f} over {TITLES[one['against']]}, {told(one['p'])}" for one in cuts]
        lines.append(line(titles[name], cells))
    lines += ["", "## λ", "", "What each tuning found, and top-1/5/20 on its own development questions.", ""]
    lines += header("tuned by", ["questions", "λ", "BM25", "dense", "hybrid"])
    for command, found in figures["weights"].items():
        cells = [
            "/".join(f"{v:.1f}" for v in found["top_k"][one].values()) for one in ("bm25", "dense", "hybrid")
        ]
        lines.append(line(f"`{command}`", [f"{found['questions']:,}", f"{found['weight']:g}", *cells]))
    lines += ["", "## Commands and costs", ""]
    lines += header("command", ["seconds", "CPU seconds", "peak memory"])
    for shown, commands in steps:
        costs = [done[command] for command in commands.values()]
        cells = [f"{sum(cost[key] for cost in costs):,.0f}" for key in ("seconds", "cpu_seconds")]
        lines.append(line(f"`densecli {shown}`", [*cells, f"{max(c['peak_mb'] for c in costs):,} MB"]))
    return "\n".join(lines) + "\n"


def told(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def header(first: str, names: Sequence[str]) -> list[str]:
    return [line(first, names), line("---", ["---"] * len(names))]


def line(first: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"

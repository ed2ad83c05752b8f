"""The page docs/runs/reader.md, from the figures of reader_run.py; or answers to check by hand.

    python benchmarks/reader_page.py WORK/reader-run.json > docs/runs/reader.md
    python benchmarks/reader_page.py WORK/reader-run.json --check > answers.md

With --check it prints questions whose answers were scored wrong, and as many scored right, of all sets alike,
drawn with seed 0: the answers that count, the one that was read, and its sentence. They lie in answers.jsonl
beside the figures. reader_checked.md says what a check by hand found, and is a part of the page.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from random import Random
from typing import Any

from hybrid_page import header, line, told

from densecli.artifacts.recipe import digest_file
from densecli.text.normalize import exact_match

INTRODUCTION = Path(__file__).parent / "reader_run.md"
CHECKED = Path(__file__).parent / "reader_checked.md"
SEED = 0
TITLES = {"bm25": "BM25", "dense": "dense", "hybrid": "hybrid"}
MEASURES = {
    "EM": ("Exact match", "Percent of the questions whose answer is one of the right ones."),
    "F1": ("F1", "Words that the answer shares with the nearest right one, in percent."),
    "passage": (
        "Passages with an answer",
        "Percent of the questions with a right answer in one of the first k passages: what could be read.",
    ),
}
MOST_ANSWERS = 6
TUNING = "--tune-lambda"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", type=Path)
    parser.add_argument("--check", action="store_true", help="print answers to check by hand")
    parser.add_argument("--mode", choices=TITLES, default="hybrid", help="what found the passages")
    parser.add_argument("-k", type=int, help="passages that were read; by default the most")
    parser.add_argument("--number", type=int, default=20, help="of wrong answers, and of right ones")
    options = parser.parse_args()
    figures = json.loads(options.figures.read_text())
    print(checked(options, figures) if options.check else page(figures), end="")


def page(figures: Mapping[str, Any]) -> str:
    """Return the page."""
    lines = [introduction(figures), "", *made_with(figures)]
    for measure, (title, meaning) in MEASURES.items():
        lines += ["", f"## {title}", "", f"{meaning} In brackets the 95 % interval.", ""]
        lines += scores(figures, measure)
    lines += [
        "",
        "## Is hybrid retrieval better for the reader?",
        "",
        "Points that hybrid gains over each of its sides, and p of a paired randomization test with",
        f"{figures['resamples']:,} resamples, the {len(figures['compared'])} of them corrected after Holm.",
        "",
        *gains(figures),
        "",
        CHECKED.read_text().strip(),
        "",
        "## Commands and costs",
        "",
        *costs(figures),
        "",
        "## Files",
        "",
        "What was read and made.",
        "",
        *digests(figures),
    ]
    return "\n".join(lines) + "\n"


def introduction(figures: Mapping[str, Any]) -> str:
    """Return the text before the figures, with the sizes of this run."""
    settings = figures["settings"]
    tuned = next(cost["printed"] for name, cost in figures["steps"].items() if TUNING in name)
    sizes = {
        "PASSAGES": figures["passages"]["number"],
        "QUESTIONS": settings["questions"],
        "TUNED": tuned["questions"],
    }
    text = INTRODUCTION.read_text().strip()
    for word, size in sizes.items():
        text = text.replace(word, f"{size:,}")
    return text


def made_with(figures: Mapping[str, Any]) -> list[str]:
    """Return what the run was made with and of."""
    libraries = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    retriever, reader = (Path(figures["settings"][kind]).name for kind in ("retriever", "reader"))
    arithmetic = "in bfloat16" if figures["bfloat16"] else "in float32"
    where = f"on {figures['gpu']}" if figures["gpu"] else f"{arithmetic} on the CPU"
    return [
        f"{figures['date']}, {figures['machine']}, Python {figures['python']}; {libraries}.",
        f"{figures['engine']} ran the models {where}.",
        f"{figures['passages']['number']:,} passages; retriever {retriever}, λ {figures['weight']:g}; reader "
        f"{reader}, answers chosen by `{selected(figures['selection'])}`.",
    ]


def selected(selection: Mapping[str, Any]) -> str:
    """Return the rule that chose the answers, with its weights."""
    weights = ", ".join(f"{name} {value:g}" for name, value in selection.items() if isinstance(value, float))
    return selection["rule"] if selection["rule"] == "passage" else f"{selection['rule']} ({weights})"


def scores(figures: Mapping[str, Any], measure: str) -> list[str]:
    """Return the table of a measure: a row for each set and way of retrieval, a column for each k."""
    lines = header("", ["", *(f"k = {k}" for k in figures["cuts"])])
    for one in figures["sets"].values():
        name = f"{one['title']} ({one['questions']:,} of {one['of']:,})"
        for mode, title in TITLES.items():
            lines.append(line(name, [title, *map(with_interval, one[measure][mode])]))
            name = ""
    return lines


def gains(figures: Mapping[str, Any]) -> list[str]:
    """Return the table of what hybrid retrieval gains."""
    pairs = [(against, measure) for against in ("bm25", "dense") for measure in ("EM", "F1")]
    lines = header("", ["", *(f"{measure}, over {TITLES[against]}" for against, measure in pairs)])
    for name, one in figures["sets"].items():
        its = {
            (row["k"], row["against"], row["measure"]): row
            for row in figures["compared"]
            if row["set"] == name
        }
        for k in sorted({k for k, *_ in its}):
            rows = [its.get((k, *pair)) for pair in pairs]
            cells = [f"{row['gain']:+.1f}, {told(row['p'])}" if row else "" for row in rows]
            lines.append(line(one["title"], [f"k = {k}", *cells]))
    return lines


def costs(figures: Mapping[str, Any]) -> list[str]:
    """Return the table of the commands, and of the reading."""
    lines = header("command", ["seconds", "CPU seconds", "peak memory"])
    for command, cost in figures["steps"].items():
        part = " (its last part, after an interruption)" if cost["resumed"] else ""
        seconds = [f"{cost[key]:,.0f}" for key in ("seconds", "cpu_seconds")]
        lines.append(line(f"`densecli {command}`{part}", [*seconds, f"{cost['peak_mb']:,} MB"]))
    reading = figures["reading"]
    name = f"reading {reading['passages']:,} passages, of {reading['found']:,} that were found"
    return [*lines, line(name, [f"{reading['seconds']:,.0f}", f"{reading['cpu_seconds']:,.0f}", ""])]


def digests(figures: Mapping[str, Any]) -> list[str]:
    """Return the table of digests and fingerprints."""
    settings = figures["settings"]
    lines = header("file", ["SHA-256 or fingerprint"])
    for name, digest in {**settings["data"], **figures["files"]}.items():
        lines.append(line(f"`{name}`", [f"`{digest}`"]))
    named = {
        "passages": figures["passages"]["fingerprint"],
        **{kind: settings[f"{kind}_fingerprint"] for kind in ("retriever", "reader")},
    }
    return lines + [line(kind, [f"`{one}`"]) for kind, one in named.items()]


def with_interval(value: Sequence[float | None]) -> str:
    """Return a measure and its interval as a cell."""
    middle, low, high = value
    return "" if middle is None else f"{middle:.1f} ({low:.1f}-{high:.1f})"


def checked(options: argparse.Namespace, figures: Mapping[str, Any]) -> str:
    """Return wrong answers and right ones to check by hand.

    Raises:
        SystemExit: the answers are not those of the figures, or nothing was read with this k.
    """
    answers = options.figures.parent / "answers.jsonl"
    if digest_file(answers) != figures["files"][answers.name]:
        raise SystemExit(f"{answers} is not the file that {options.figures} was made from")
    k = options.k or max(figures["cuts"])
    if k not in figures["cuts"]:
        raise SystemExit(f"-k is {k}, and the figures are for {figures['cuts']}")
    by_score: dict[bool, dict[str, list[Any]]] = {False: {}, True: {}}
    for row in map(json.loads, answers.open("rb")):
        span = read_in(row, options.mode, figures["cuts"].index(k))
        right = span is not None and exact_match(span["answer"], row["answers"], row["answer_type"])
        by_score[right].setdefault(set_of(row), []).append((row, span))
    lines = []
    for heading, by_set in (("Scored wrong", by_score[False]), ("Scored right", by_score[True])):
        shown = spread(by_set, options.number)
        total = sum(map(len, by_set.values()))
        lines += [f"# {heading}: {len(shown)} of {total:,} ({TITLES[options.mode]}, {k} passages)", ""]
        for number, (row, span) in enumerate(shown, 1):
            lines += described(f"{number}. {figures['sets'][set_of(row)]['title']}", row, span)
    return "\n".join(lines)


def set_of(row: Mapping[str, Any]) -> str:
    """Return the name of the set of a question."""
    name: str = row["id"].partition("-")[0]
    return name


def read_in(row: Mapping[str, Any], mode: str, cut: int) -> Mapping[str, Any] | None:
    """Return the answer that was read for a way of retrieval and a place in the cuts."""
    place = row["chosen"][mode][cut]
    return None if place is None else row["spans"][place]


def spread(by_set: Mapping[str, Sequence[Any]], number: int) -> list[Any]:
    """Return `number` items, as evenly from all sets as they have them."""
    random = Random(SEED)
    mixed = [random.sample(items, len(items)) for items in by_set.values()]
    turns = chain.from_iterable(zip_longest(*mixed))
    return [item for item in turns if item is not None][:number]


def described(title: str, row: Mapping[str, Any], span: Mapping[str, Any] | None) -> list[str]:
    """Return the lines about one question."""
    lines = [f"## {title}: {row['question']}", ""]
    lines.append("- right: " + " · ".join(f"`{one}`" for one in row["answers"][:MOST_ANSWERS]))
    if len(row["answers"]) > MOST_ANSWERS:
        lines[-1] += f" and {len(row['answers']) - MOST_ANSWERS} more"
    if span is None:
        return [*lines, "- read: nothing", ""]
    text, first, last = span["sentence"], span["at"], span["at"] + len(span["answer"])
    source = span["title"] or f"passage {span['passage_id']}"
    lines.append(f"- read: `{span['answer']}`")
    lines.append(f"- in *{source}*: {text[:first]}**{text[first:last]}**{text[last:]}")
    return [*lines, ""]


if __name__ == "__main__":
    main()

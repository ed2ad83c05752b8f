"""The retriever in the package beside BM25 and its untrained base, over five whole test sets.

    python benchmarks/starter_run.py DATA DEV WORK

DATA holds wiki/psgs_main_w100.tsv.gz, questions/ and squad/. DEV is a file of questions that λ is tuned on,
such as dev.jsonl of examples/starter/recipe.sh. WORK is that of reader_run.py, or a new folder: passages,
index and vectors that it has are used, and steps that were done before are not done again.

The base is the package's passage encoder for the questions, too: all-MiniLM-L6-v2, stored in the same way,
over the same vectors. Writes results/starter-run.json here and docs/runs/starter.md, or both into --to.
"""

import argparse
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cold_start import about
from hybrid_page import header, line, told
from hybrid_run import BATCH, SETS, accuracies, percent, ranks, read_tests
from pool import write_pool
from reference.paired import CUTS, sign_test
from steps import alone_in, measured_once

from densecli.artifacts.passages.store import PassageStore
from densecli.configs.asking import EvaluateConfig
from densecli.files.jsonl import write_lines
from densecli.formats.read_questions import read_questions
from densecli.models.folder import fingerprint
from densecli.records import Question
from densecli.workflows.models import base_folder

HERE = Path(__file__).parent
INTRODUCTION = HERE / "starter_run.md"
BASE = Path("models") / "base"
SEARCHES = {
    "bm25": "--mode bm25",
    "base": f"--mode dense --retriever {BASE}",
    "starter": "--mode dense --retriever starter",
    "hybrid": "--mode hybrid --retriever starter",
}
TITLES = {
    "bm25": "BM25",
    "base": "base, untrained",
    "starter": "starter retriever",
    "hybrid": "hybrid: BM25 + λ·starter",
}
COMPARED = (("starter", "base"), ("starter", "bm25"), ("hybrid", "starter"), ("hybrid", "bm25"))
"""Pairs of rows: what gains, and over what."""
LEVEL = 0.05
TUNING = f"search --tune-lambda dev.jsonl --retriever starter {BATCH}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--take", type=int, help="test questions of each set, for a trial; all by default")
    parser.add_argument("--to", type=Path, help="folder for the page and the figures")
    options = parser.parse_args()
    page_at = (options.to or HERE.parent / "docs" / "runs") / "starter.md"
    figures_at = (options.to or HERE / "results") / "starter-run.json"
    with alone_in(options.work):
        figures = run(options.data, options.dev, options.work, options.take)
    figures_at.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    page_at.write_text(page(figures))
    print(page_at.read_text())


def run(data: Path, dev: Path, work: Path, take: int | None) -> dict[str, Any]:
    """Do what is left to do, and return the figures."""
    os.environ["DENSECLI_WORKSPACE"] = str((work / ".densecli").resolve())
    if not (work / "pool.tsv").exists():
        write_pool(data, work / "pool.tsv", iter)
    if not (work / "dev.jsonl").exists():
        shutil.copyfile(dev, work / "dev.jsonl")
    tests = read_tests(data)
    for name, asked in tests.items():
        write_lines(work / f"{name}.questions", map(Question.to_json, asked[:take]))
    write_base(work / BASE)
    commands = ["preprocess pool.tsv", "index --kind bm25", "embed --retriever starter", "index", TUNING]
    commands += [
        f"search {name}.questions {search} -k {max(CUTS)} {BATCH} --no-text -o {name}.{row}.found.jsonl"
        for row, search in SEARCHES.items()
        for name in SETS
    ]
    done = measured_once(commands, "starter", work)
    results = {row: {name: ranks(work / f"{name}.{row}.found.jsonl") for name in SETS} for row in SEARCHES}
    return {
        **about(),
        "passages": len(PassageStore.open(work / ".densecli" / "passages")),
        "retriever_fingerprint": fingerprint(base_folder("starter", "retriever")),
        "resamples": EvaluateConfig().resamples,
        "questions": {name: len(asked[:take]) for name, asked in tests.items()},
        "dev": sum(1 for _ in read_questions(str(work / "dev.jsonl"))),
        "weight": done[TUNING]["printed"],
        "accuracy": accuracies(results),
        "compared": [compared(results, *pair) for pair in COMPARED],
        "steps": {command: done[command] for command in commands},  # WORK may hold those of other runs
    }


def write_base(folder: Path) -> None:
    """Write the starter retriever with its passage encoder on both sides, unless it is there."""
    if folder.exists():
        return
    starter = base_folder("starter", "retriever")
    folder.parent.mkdir(exist_ok=True)
    # the folder's model.json finds the word table beside the folder
    shutil.copyfile(starter.parent / "words.safetensors", folder.parent / "words.safetensors")
    unfinished = folder.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(starter, unfinished)
    shutil.rmtree(unfinished / "question")
    shutil.copytree(unfinished / "passage", unfinished / "question")
    unfinished.rename(folder)


def compared(results: Mapping[str, Mapping[str, Sequence[float]]], one: str, other: str) -> dict[str, Any]:
    """Compare two rows at each cut, question by question (exact sign test)."""
    sets: dict[str, list[dict[str, float]]] = {}
    for name in SETS:
        ours, theirs = results[one][name], results[other][name]
        sets[name] = [
            {
                "k": k,
                "gain": round(percent(ours, k) - percent(theirs, k), 2),
                "p": sign_test([(a <= k) - (b <= k) for a, b in zip(ours, theirs, strict=True)]),
            }
            for k in CUTS
        ]
    return {"row": one, "over": other, "sets": sets}


def page(figures: Mapping[str, Any]) -> str:
    """Return docs/runs/starter.md."""
    introduction = INTRODUCTION.read_text().strip()
    numbers = {
        "PASSAGES": f"{figures['passages']:,}",
        "WEIGHT": f"{figures['weight']['weight']:g}",
        "TUNED": f"{figures['weight']['questions']:,}",
    }
    for name, number in numbers.items():
        introduction = re.sub(rf"\b{name}\b", number, introduction)
    lines = [
        introduction,
        "",
        f"{figures['date']}, {figures['machine']}; densecli {figures['versions']['densecli']}.",
        "",
        "## Accuracy",
        "",
        "Percent of the questions with an answer in the first 1/5/20/100 passages.",
        "",
        *header("", [f"{SETS[name].title} ({count:,})" for name, count in figures["questions"].items()]),
    ]
    for row, by_name in figures["accuracy"].items():
        cells = ["/".join(f"{value:.1f}" for value in values) for values in by_name.values()]
        lines.append(line(TITLES[row], cells))
    for both in figures["compared"]:
        lines += ["", f"## {TITLES[both['row']]}, over {TITLES[both['over']]}", ""]
        lines += ["Points gained; in bold where p < .05.", ""]
        lines += header("", [f"top-{k}" for k in CUTS])
        for name, cuts in both["sets"].items():
            cells = [f"{cut['gain']:+.1f}, {told(cut['p'])}" for cut in cuts]
            cells = [
                f"**{cell}**" if cut["p"] < LEVEL else cell for cell, cut in zip(cells, cuts, strict=True)
            ]
            lines.append(line(SETS[name].title, cells))
    lines += ["", "## Commands and costs", ""]
    lines += header("command", ["seconds", "CPU seconds", "peak memory"])
    for command, cost in figures["steps"].items():
        if "--no-text" not in command:
            lines.append(costs(command, [cost]))
    for row, search in SEARCHES.items():
        of_row = [cost for command, cost in figures["steps"].items() if f".{row}.found" in command]
        shown = f"search SET.questions {search} -k {max(CUTS)} {BATCH} --no-text -o SET.{row}.found.jsonl"
        lines.append(costs(shown, of_row))
    return "\n".join(lines) + "\n"


def costs(command: str, done: Sequence[Mapping[str, Any]]) -> str:
    cells = [f"{sum(cost[key] for cost in done):,.0f}" for key in ("seconds", "cpu_seconds")]
    return line(f"`densecli {command}`", [*cells, f"{max(cost['peak_mb'] for cost in done):,} MB"])


if __name__ == "__main__":
    main()

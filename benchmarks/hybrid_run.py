"""BM25, dense retrieval and both together over five test sets, by the program's own commands.

    python benchmarks/hybrid_run.py --data DATA --workspace WORKSPACE --retriever BASE --work FOLDER

WORKSPACE has passages, a BM25 index, and vectors that BASE (a folder or Hub name) made. DATA/questions and
DATA/squad hold the test questions, and the development questions that λ is tuned on: a sample of each set,
without those that are also test questions. Steps that were done before in the same FOLDER, whose files and
times lie there, are not done again. Writes results/hybrid-run.json here and docs/runs/hybrid.md, or both
into --to.
"""

import argparse
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from cold_start import about
from hybrid_page import page
from reference.paired import CUTS, sign_test
from steps import measured_once

from densecli.artifacts.passages.store import PassageStore
from densecli.configs.asking import EvaluateConfig
from densecli.evaluation.score import evaluate
from densecli.files.jsonl import write_lines
from densecli.formats.read_questions import read_questions
from densecli.formats.read_results import read_results
from densecli.records import Question
from densecli.text.normalize import normalize_answer

HERE = Path(__file__).parent
SEED = 12345
SAMPLE = 200


@dataclass(frozen=True)
class Benchmark:
    """A test set, the file of questions for choosing that goes with it, and how answers are matched."""

    title: str
    test: str
    dev: str
    answer_type: str = "string"


SETS = {
    "nq": Benchmark("NQ", "questions/nq-open-dev.jsonl", "questions/nq-dev.qa.csv"),
    "trivia": Benchmark("TriviaQA", "questions/trivia-test.qa.csv", "questions/trivia-dev.qa.csv"),
    "webq": Benchmark(
        "WebQuestions", "questions/webquestions-test.jsonl", "questions/webquestions-dev.jsonl"
    ),
    "trec": Benchmark(
        "CuratedTREC", "questions/curatedtrec-test.jsonl", "questions/curatedtrec-train.jsonl", "regex"
    ),
    "squad": Benchmark("SQuAD", "questions/squad-test.jsonl", "squad/squad-train-36-articles.json"),
}
BATCH = "--batch-size 512"  # four times as fast as 64 on a large flat index
BOTH = "--mode hybrid --retriever BASE"
SEARCHES = {
    "bm25": "--mode bm25",
    "dense": "--mode dense --retriever BASE",
    "hybrid": BOTH,
    "paper": f"{BOTH} --preset paper",
    "rrf": f"{BOTH} --fusion rrf --candidates 100",
    "min": f"{BOTH} --missing min --index spare",
}
Steps = list[tuple[str, dict[str, str]]]  # as the page shows a command, and what it stands for by set


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("data", "workspace", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--retriever", required=True, help="folder or Hub name")
    parser.add_argument("--rows", nargs="+", choices=SEARCHES, default=list(SEARCHES), help="searches to do")
    parser.add_argument("--take", type=int, help="test questions of each set, for a trial; all by default")
    parser.add_argument("--to", type=Path, help="folder for the page and the figures")
    options = parser.parse_args()
    page_at = (options.to or HERE.parent / "docs" / "runs") / "hybrid.md"
    figures_at = (options.to or HERE / "results") / "hybrid-run.json"
    os.environ["DENSECLI_WORKSPACE"] = str(options.workspace.resolve())
    passages = len(PassageStore.open(options.workspace / "passages"))
    told: dict[str, Any] = {**about(), "retriever": Path(options.retriever).name, "passages": passages}
    told["versions"] |= {"torch": version("torch")}
    told["questions"] = collect(options.data, options.work, options.take)
    steps = planned(options.rows)
    commands = (command for _, named in steps for command in named.values())
    done = measured_once(commands, options.retriever, options.work)
    results = {
        one: {name: ranks(options.work / f"{name}.{one}.jsonl") for name in SETS} for one in options.rows
    }
    figures = {**told, "accuracy": accuracies(results), "weights": weights(done), "paired": paired(results)}
    figures_at.write_text(json.dumps({**figures, "steps": done}, indent=2, ensure_ascii=False) + "\n")
    page_at.write_text(page({name: one.title for name, one in SETS.items()}, figures, steps, done))
    print(page_at.read_text())


def planned(rows: Sequence[str]) -> Steps:
    """Return the steps in order, those of the rows that matter most first."""
    steps: Steps = [("index", {"": "index"}), tuning("dev.jsonl --retriever BASE", {"": ""})]
    steps += [searching(name) for name in rows if name != "min"]
    steps.append(("index -o spare", {"": "index -o spare"}))
    steps.append(tuning("SET-dev.jsonl --retriever BASE --index spare", SETS))
    if "min" in rows:
        steps += [
            tuning("dev.jsonl --retriever BASE --index spare --missing min", {"": ""}),
            searching("min"),
        ]
    steps += [by_set(f"evaluate SET.{name}.jsonl") for name in rows]
    return steps


def tuning(words: str, sets: Iterable[str]) -> tuple[str, dict[str, str]]:
    command = f"search --tune-lambda {words} {BATCH}"
    return command, {name: command.replace("SET", name) for name in sets}


def searching(row: str) -> tuple[str, dict[str, str]]:
    shown, commands = by_set(
        f"search SET.questions {SEARCHES[row]} -k 100 {BATCH} --no-text -o SET.{row}.jsonl"
    )
    commands["trec"] += " --answer-type regex"
    return shown, commands


def by_set(command: str) -> tuple[str, dict[str, str]]:
    return command, {name: command.replace("SET", name) for name in SETS}


def collect(data: Path, work: Path, take: int | None) -> dict[str, dict[str, int]]:
    """Put the questions into the work folder; return how many there are."""
    work.mkdir(parents=True, exist_ok=True)
    sizes, everything = {}, []
    tests = read_tests(data)
    known = {normalize_answer(question.question) for asked in tests.values() for question in asked}
    for name, one in SETS.items():
        if take is None:
            shutil.copy(data / one.test, work / f"{name}.questions")
        else:
            write_lines(work / f"{name}.questions", map(Question.to_json, tests[name][:take]))
        every = list(read_questions(str(data / one.dev), one.answer_type))
        fresh = [question for question in every if normalize_answer(question.question) not in known]
        chosen = Random(f"{SEED} {name}").sample(fresh, min(SAMPLE, len(fresh)))
        write_lines(work / f"{name}-dev.jsonl", map(Question.to_json, chosen))
        everything += [replace(question, id=f"{name}-{question.id}") for question in chosen]
        sizes[name] = {
            "test": len(tests[name][:take]), "dev": len(chosen), "left_out": len(every) - len(fresh)
        }  # fmt: skip
    write_lines(work / "dev.jsonl", map(Question.to_json, everything))
    return sizes


def read_tests(data: Path) -> dict[str, list[Question]]:
    """Return the test questions by set."""
    return {name: list(read_questions(str(data / one.test), one.answer_type)) for name, one in SETS.items()}


def ranks(path: Path) -> list[float]:
    """Return for each question the rank of the first passage with an answer, from 1."""
    scores = evaluate(read_results(str(path)), EvaluateConfig(), Counter())
    return [score.first_hit_rank or float("inf") for score in scores]


def accuracies(results: Mapping[str, Mapping[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    """Return top-k accuracy in percent for each row, set and cut."""
    return {
        row: {name: [percent(found, k) for k in CUTS] for name, found in by_name.items()}
        for row, by_name in results.items()
    }


def percent(found: Sequence[float], k: int) -> float:
    return round(100 * sum(rank <= k for rank in found) / len(found), 2)


def paired(results: Mapping[str, Mapping[str, list[float]]]) -> dict[str, list[dict[str, Any]]]:
    """Compare hybrid at each cut with the better of its sides, question by question (exact sign test)."""
    if not {"hybrid", "bm25", "dense"} <= set(results):
        return {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, both in results["hybrid"].items():
        rows[name] = []
        for k in CUTS:
            side = max(("dense", "bm25"), key=lambda one: percent(results[one][name], k))
            pairs = zip(both, results[side][name], strict=True)
            p = sign_test([(ours <= k) - (theirs <= k) for ours, theirs in pairs])
            gain = round(percent(both, k) - percent(results[side][name], k), 2)
            rows[name].append({"k": k, "against": side, "gain": gain, "p": p})
    return rows


def weights(done: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each tuning found."""
    return {command: step["printed"] for command, step in done.items() if "--tune-lambda" in command}


if __name__ == "__main__":
    main()

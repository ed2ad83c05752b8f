"""All stages on the encyclopedia that ships with densecli: each command, one table, six answers."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = Path("demo")
SAMPLE = "src/densecli/sample"
TEST = f"{SAMPLE}/questions.test.jsonl"
TRAINING = "--encoder starter --epochs 1"
SYSTEMS = {
    "BM25": "--mode bm25",
    "starter": "--retriever starter --index demo/shipped/index",
    "trained": "--mode dense",
    "BM25+dense": "--mode hybrid",
}


def main() -> None:
    begun = time.monotonic()
    os.chdir(ROOT)
    start_over()
    print("The sample: articles that we wrote, and questions about them, split by article.")
    print("$ export DENSECLI_WORKSPACE=demo")
    os.environ["DENSECLI_WORKSPACE"] = str(WORKSPACE)
    heading("Passages, and training examples that BM25 finds for the training questions")
    run(f"densecli preprocess {SAMPLE}/articles.jsonl")
    for part in ("train", "dev"):
        run(f"densecli mine-negatives {SAMPLE}/questions.{part}.jsonl -o demo/examples/{part}")
    heading("The starter retriever as it ships: vectors and an index")
    run("densecli embed --retriever starter -o demo/shipped/vectors")
    run("densecli index --vectors demo/shipped/vectors -o demo/shipped/index")
    heading("The same trained on the sample: two towers, new vectors, a new index")
    run(f"densecli train train --dev dev {TRAINING}")
    run("densecli embed")
    run("densecli index")
    heading("The weight of its inner products beside BM25's scores, tuned on the development questions")
    run(f"densecli search --tune-lambda {SAMPLE}/questions.dev.jsonl -o demo/runs/weight.json")
    heading("The test questions: 20 passages each, of which the starter reader reads 10")
    for name, options in SYSTEMS.items():
        run(f"densecli search {TEST} -k 20 {options} -o demo/runs/{name}.found.jsonl")
        run(f"densecli read demo/runs/{name}.found.jsonl -o demo/runs/{name}.jsonl")
    heading("Percent of the test questions with an answer in the first k passages, and read exactly (EM)")
    run("densecli evaluate -q --table " + " ".join(f"{name}=demo/runs/{name}.jsonl" for name in SYSTEMS))
    heading("Six questions")
    run("densecli search examples/questions.jsonl -k 20 -o demo/runs/six.found.jsonl")
    run("densecli read demo/runs/six.found.jsonl -o demo/runs/six.jsonl")
    show_answers(WORKSPACE / "runs" / "six.jsonl")
    print(f"\n{time.monotonic() - begun:.0f} s. Everything made is in demo/; ask on with:")
    print('  .venv/bin/densecli read -w demo "where was einstein born"')


def start_over() -> None:
    """Remove what an earlier demo left, and nothing else."""
    if WORKSPACE.exists() and not (WORKSPACE / "runs").is_dir():
        sys.exit(f"{WORKSPACE.resolve()} is in the way and is not from an earlier demo; move it")
    shutil.rmtree(WORKSPACE, ignore_errors=True)
    (WORKSPACE / "runs").mkdir(parents=True)


def heading(text: str) -> None:
    print(f"\n{text}", flush=True)


def run(command: str) -> None:
    print("$", command, flush=True)
    status = subprocess.run(shlex.split(command)).returncode
    if status:
        sys.exit(f"that command ended with exit code {status}")


def show_answers(predictions: Path) -> None:
    for line in predictions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        print(f"  {row['question']:<56} {row['answer']}  ({row['title']})")


if __name__ == "__main__":
    main()

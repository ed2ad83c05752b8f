"""How fast `evaluate` is: the command over as many questions as TriviaQA's test has; beside a plain loop.

    python benchmarks/evaluate.py

Questions and passages are made from the sample encyclopedia: passages of 100 words, 100 for each question
without `has_answer`, in random order, and for every question one answer of one to three words out of the
encyclopedia. The first --compare of them are measured by the loop in reference/evaluate_loop.py too, which
must come to the same accuracies. Writes results/evaluate.json.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from cold_start import about
from reference.evaluate_loop import evaluate_loop

import densecli
from densecli.files.jsonl import write_lines
from densecli.workflows.evaluate import evaluate

RESULT = Path(__file__).parent / "results" / "evaluate.json"
ARTICLES = Path(densecli.__file__).parent / "sample" / "articles.jsonl"
KS = (1, 5, 20, 100)
PASSAGES = 100


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--questions", type=int, default=11_313)
    options.add_argument("--compare", type=int, default=300, help="questions of the comparison")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, part = Path(folder) / "found.jsonl", Path(folder) / "part.jsonl"
        write_lines(path, made_results(chosen.questions))
        with open(path, encoding="utf-8") as lines:
            part.write_text("".join(islice(lines, chosen.compare)), encoding="utf-8")
        begun = time.perf_counter()
        told = subprocess.run(
            [sys.executable, "-m", "densecli", "evaluate", str(path), "-q"], check=True, capture_output=True
        )
        seconds = time.perf_counter() - begun
        began = time.process_time()
        [ours] = evaluate(part, top_k=",".join(map(str, KS)), resamples=100).measured.values()
        measured = time.process_time()
        naive = evaluate_loop(part, KS)
        looped = time.process_time()
        size = path.stat().st_size
    assert ours.top_k == naive, f"evaluate and the loop differ: {ours.top_k}, {naive}"
    rows = {
        "cores": os.cpu_count(),
        "command": {
            "questions": chosen.questions,
            "passages for each": PASSAGES,
            "megabytes": round(size / 1e6),
            "seconds": round(seconds, 1),
            "top_k": json.loads(told.stdout)["top_k"],
        },
        "comparison": {
            "questions": chosen.compare,
            "top_k, the same from both": naive,
            "cpu seconds": {
                "evaluate": round(measured - began, 2),
                "loop": round(looped - measured, 2),
            },
            "times as fast": round((looped - measured) / (measured - began), 1),
        },
    }
    chosen.output.write_text(json.dumps({**about(), **rows}, indent=2) + "\n")
    print(json.dumps(rows, indent=2))


def made_results(questions: int):
    """Yield search results."""
    draw = random.Random(0)
    articles = [json.loads(line) for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
    words = [word for article in articles for word in article["text"].split()]
    texts = [" ".join(words[start : start + 100]) for start in range(0, len(words) - 100, 50)]
    for number in range(questions):
        start, length = draw.randrange(len(words) - 3), draw.randint(1, 3)
        ctxs = [
            {"id": str(place), "title": "", "text": texts[place], "score": -rank}
            for rank, place in enumerate(draw.choices(range(len(texts)), k=PASSAGES))
        ]
        answer = " ".join(words[start : start + length])
        yield {"id": str(number), "question": f"question {number}", "answers": [answer], "ctxs": ctxs}


if __name__ == "__main__":
    main()

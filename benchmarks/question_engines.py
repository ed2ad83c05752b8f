"""Each engine on questions: how soon it is ready, one question at a time, and a thousand.

    python benchmarks/question_engines.py RETRIEVER QUESTIONS.jsonl

RETRIEVER is a folder, a Hub name or starter. Each engine has a process of its own, so that `ready_s`, from
opening the retriever to the first vector, has the import of its libraries in it. Writes
results/question-engines.json.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from cold_start import about

from densecli.encoders.engines import EngineRequest, open_question_encoder
from densecli.encoders.hardware import has_bfloat16
from densecli.formats.read_questions import read_questions
from densecli.workflows.models import base_folder

RESULT = Path(__file__).parent / "results" / "question-engines.json"
ENGINES = ("onnxruntime fp32", "openvino fp32", "torch fp32", "openvino bf16", "torch bf16")
MANY, ONE_BY_ONE = 1_000, 200


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("retriever")
    options.add_argument("questions", help="JSON lines with questions, at least 1,000")
    options.add_argument("--engine", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.engine:
        print(json.dumps(measure(chosen.retriever, chosen.questions, *chosen.engine.split())))
        return
    found: dict[str, Any] = {}
    for engine in ENGINES:
        if engine.endswith("bf16") and not has_bfloat16():
            continue
        line = [sys.executable, __file__, chosen.retriever, chosen.questions, "--engine", engine]
        found[engine] = json.loads(subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout)
        print(engine, found[engine], flush=True)
    RESULT.write_text(json.dumps({**about(), "questions": MANY, "engines": found}, indent=1) + "\n")


def measure(retriever: str, path: str, engine: str, precision: str) -> dict[str, float]:
    """Return what one engine takes."""
    texts = [one.question for _, one in zip(range(MANY), read_questions(path), strict=False)]
    if len(texts) < MANY:
        raise SystemExit(f"{path}: has {len(texts)} questions; expected {MANY}")
    folder = base_folder(retriever, "retriever")
    begun = time.perf_counter()
    encoder = open_question_encoder(folder, EngineRequest(engine, "cpu", precision), single=True)
    encoder.encode(texts[:1])
    ready = time.perf_counter() - begun
    singles = []
    for text in texts[:ONE_BY_ONE]:
        begun = time.perf_counter()
        encoder.encode([text])
        singles.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    encoder.encode(texts)
    return {
        "ready_s": round(ready, 2),
        "one_ms": round(1000 * median(singles), 2),
        "per_s": round(MANY / (time.perf_counter() - begun), 1),
    }


if __name__ == "__main__":
    main()

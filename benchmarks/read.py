"""How many passages a second are read: every engine, beside loops over transformers' model.

    densecli search questions.jsonl -k 50 -o found.jsonl
    python benchmarks/read.py found.jsonl --count 20

Each side reads the same word pieces of the same questions and passages with the starter reader. The loops are
what a user would write: one question at a time, its passages padded to 350 word pieces or to the longest of
them, in fp32 or bf16. Their logits go through the same span decoding. The engines' answers are compared with
those of the padded loop in fp32. Model and libraries are open before the clock starts; the first question of
each side warms up.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from cold_start import about

from densecli.encoders.engines import EngineRequest
from densecli.errors import DenseError
from densecli.formats.read_results import read_ranked
from densecli.reader.engines import open_reader
from densecli.reader.runtime import Reader
from densecli.reader.torch_folder import open_reader as open_torch
from densecli.records import Passage
from densecli.workflows.models import STARTER

RESULT = Path(__file__).parent / "results" / "read.json"
ENGINES = ("openvino auto", "openvino fp32", "onnxruntime fp32", "torch fp32", "torch bf16")
LONGEST = 350
BATCH = 50

Questions = Sequence[tuple[str, Sequence[Passage]]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", help="search results with text")
    parser.add_argument("--count", type=int, default=20, help="questions")
    parser.add_argument("--depth", type=int, default=50, help="passages of a question")
    parser.add_argument("--reader", type=Path, default=STARTER / "reader")
    parser.add_argument("--bf16", action="store_true", help="bf16, too: for a CPU that computes in it")
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    asked = [
        (one.question.question, [ctx.passage for ctx in one.ctxs[: chosen.depth]])
        for one in islice(read_ranked(chosen.results), chosen.count)
    ]
    sides: dict[str, Callable[[], Reader]] = {
        "loop padded to 350, fp32": lambda: loop(chosen.reader, LONGEST, torch.float32),
        "loop padded to the batch, fp32": lambda: loop(chosen.reader, None, torch.float32),
    }
    if chosen.bf16:
        sides["loop padded to the batch, bf16"] = lambda: loop(chosen.reader, None, torch.bfloat16)
    for engine in ENGINES if chosen.bf16 else [one for one in ENGINES if "bf16" not in one]:
        sides[f"densecli, {engine}"] = lambda engine=engine: open_engine(chosen.reader, engine)  # type: ignore[misc]
    rows: dict[str, dict[str, float]] = {}
    exact: list[str] | None = None
    for name, open_side in sides.items():
        try:
            reader = open_side()
        except DenseError as error:
            print(f"{name}: {error}")
            continue
        answers, rows[name] = timed(reader, asked)
        exact = exact or answers
        rows[name]["other answers"] = sum(one != other for one, other in zip(answers, exact, strict=True))
        print(name, rows[name], flush=True)
    passages = sum(len(passages) for _, passages in asked)
    facts = {"reader": chosen.reader.name, "questions": len(asked), "passages": passages, "sides": rows}
    chosen.output.write_text(json.dumps({**about(), **facts}, indent=2) + "\n")


def open_engine(folder: Path, named: str) -> Reader:
    engine, precision = named.split()
    return open_reader(folder, EngineRequest(engine, "cpu", precision), single=False)


def loop(folder: Path, pad: int | None, precision: torch.dtype) -> Reader:
    """Return a reader whose forward pass takes one question's passages at a time, padded to `pad`."""
    opened: Any = open_torch(folder)
    model = opened.model.eval()
    model.encoder.to(precision)

    def forward(batches: Any) -> Any:
        for batch in batches:
            width = pad or max(map(len, batch))
            ids = torch.zeros(len(batch), width, dtype=torch.long)
            for row, one in enumerate(batch):
                ids[row, : len(one)] = torch.tensor(one)
            mask = torch.arange(width) < torch.tensor([len(one) for one in batch])[:, None]
            with torch.inference_mode():
                found = model(ids, mask)
            yield torch.stack([found.start, found.end], dim=-1).numpy(), found.relevance.numpy()

    return Reader(forward, opened.tokens, opened.model_config, folder, BATCH * LONGEST)


def timed(reader: Reader, asked: Questions) -> tuple[list[str], dict[str, float]]:
    """Return the best answer to each question, and how many passages were read a second."""
    list(reader.read_all(iter(asked[:1]), 1))
    clock, spent = time.perf_counter(), time.process_time()
    answers = [spans[0].text if spans else "" for spans in reader.read_all(iter(asked), 1)]
    by_clock, by_cpu = time.perf_counter() - clock, time.process_time() - spent
    count = sum(len(passages) for _, passages in asked)
    return answers, {"per_s": round(count / by_clock, 2), "per_cpu_s": round(count / by_cpu, 2)}


if __name__ == "__main__":
    main()

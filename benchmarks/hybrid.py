"""How long one question takes on a large collection: BM25, dense and both, warm and one at a time.

The collection's passages and BM25 index are real. Its vectors are random, of the starter retriever's width:
what they say does not change how long it takes to look through them. A figure holds all of the work from the
text of a question to its passages.

    densecli preprocess psgs.tsv -w big && densecli index --kind bm25 -w big
    python benchmarks/hybrid.py big questions.jsonl
"""

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cold_start import about

from densecli.artifacts.manifest import Manifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import VectorStore, write_shard
from densecli.configs.asking import SearchConfig
from densecli.configs.corpus import IndexConfig
from densecli.dense.index import DenseIndex, build
from densecli.encoders.engines import open_question_encoder
from densecli.formats.read_questions import read_questions
from densecli.records import Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine, Engine, search
from densecli.workflows.engines import open_bm25
from densecli.workflows.models import STARTER

RESULT = Path(__file__).parent / "results" / "hybrid.json"
SHARD = 1 << 16
K = 100
PARENTS = {"retriever": "random", "passages": "random"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("workspace", type=Path, help="with passages/ and bm25/")
    options.add_argument("questions", help="a file of questions")
    options.add_argument("--count", type=int, default=200, help="questions that are timed")
    options.add_argument("--kind", choices=("flat", "hnsw"), default="flat")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    store = PassageStore.open(chosen.workspace / "passages")
    questions = [one for one, _ in zip(read_questions(chosen.questions), range(chosen.count), strict=False)]
    encoder = open_question_encoder(STARTER / "retriever")
    words = open_bm25(chosen.workspace / "bm25", store)
    with tempfile.TemporaryDirectory() as folder:
        dense = DenseEngine(encoder, random_index(Path(folder), len(store), encoder.dimension, chosen.kind))
        both = HybridEngine(words, dense, SearchConfig(), weight=None)
        engines: dict[str, Engine] = {"bm25": words, "dense": dense, "hybrid": both}
        rows = {name: summary(times(questions, engine, store)) for name, engine in engines.items()}
    facts = {"passages": len(store), "dimension": encoder.dimension, "kind": chosen.kind, "k": K}
    facts |= {"questions": len(questions), "milliseconds": rows}
    chosen.output.write_text(json.dumps(about() | facts, indent=2) + "\n")
    print(f"{'milliseconds':<14}{'median':>8}{'95 %':>8}{'most':>8}")
    for name, row in rows.items():
        print(f"{name:<14}{row['median']:>8.1f}{row['95 %']:>8.1f}{row['most']:>8.1f}")


def random_index(folder: Path, rows: int, width: int, kind: str) -> DenseIndex:
    """Index `rows` random vectors."""
    rng = np.random.default_rng(0)
    shards = range(0, rows, SHARD)
    for number, first in enumerate(shards):
        write_shard(folder, number, rng.standard_normal((min(SHARD, rows - first), width), dtype=np.float32))
    facts = {"rows": rows, "dimension": width, "shards": len(shards)}
    Manifest("embed", {}, "random", parents=PARENTS, facts=facts).write(folder)
    for _ in build(VectorStore.open(folder), IndexConfig(kind=kind), folder):
        pass
    Manifest("index", {}, "random", parents=PARENTS, facts={"kind": kind}).write(folder)
    return DenseIndex.open(folder)


def times(questions: Sequence[Question], engine: Engine, store: PassageStore) -> list[float]:
    """Return the milliseconds that each question takes, after a round that warms the caches."""
    taken = []
    for one in [*questions[:20], *questions]:
        begun = time.perf_counter()
        list(search([one], engine, store, K, 1, Counter()))
        taken.append(1000 * (time.perf_counter() - begun))
    return taken[20:]


def summary(taken: Sequence[float]) -> dict[str, float]:
    last = sorted(taken)[int(0.95 * (len(taken) - 1))]
    named = {"median": statistics.median(taken), "95 %": last, "most": max(taken)}
    return {name: round(value, 1) for name, value in named.items()}


if __name__ == "__main__":
    main()

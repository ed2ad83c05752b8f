"""How long questions take on a large collection: BM25, dense and both, and how much of it is in their parts.

The passages and the BM25 index are real. The vectors are random, as wide as the starter retriever's: their
values do not change how long a scan takes. One question at a time, warm: the whole from the text of a
question to its passages, beside each part measured alone. Then all questions together with the default batch,
beside encoding alone and a bare FAISS index alone. Answers are matched, too, where the questions have them.

    densecli preprocess psgs.tsv -w big && densecli index --kind bm25 -w big
    python benchmarks/hybrid.py big questions.jsonl
"""

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from cold_start import about

from densecli.artifacts.kinds import IndexManifest, VectorsManifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import VectorStore, write_shard
from densecli.configs.asking import SearchConfig
from densecli.configs.corpus import IndexConfig
from densecli.dense.index import FILE, DenseIndex, build
from densecli.encoders.engines import open_question_encoder
from densecli.formats.read_questions import read_questions
from densecli.lexical.bm25 import Bm25
from densecli.records import Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine, Engine, search
from densecli.text.answers import AnswerMatcher
from densecli.workflows.batch_size import usual_batch_size
from densecli.workflows.engines import open_bm25
from densecli.workflows.models import STARTER

RESULT = Path(__file__).parent / "results" / "hybrid.json"
SHARD = 1 << 16
K = 100
NAMES = {"fingerprint": "random", "retriever": "random", "passages": "random"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("workspace", type=Path, help="with passages/ and bm25/")
    options.add_argument("questions", help="a file of questions")
    options.add_argument("--count", type=int, default=200, help="questions that are timed one at a time")
    options.add_argument("--many", type=int, default=1000, help="questions that are searched together")
    options.add_argument("--kind", choices=("flat", "hnsw"), default="flat")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    store = PassageStore.open(chosen.workspace / "passages")
    asked = list(islice(read_questions(chosen.questions), max(chosen.count, chosen.many)))
    words = open_bm25(chosen.workspace / "bm25", store)
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_question_encoder(STARTER / "retriever", single=True)
        index = random_index(Path(folder), len(store), encoder.dimension, chosen.kind)
        dense = DenseEngine(encoder, index)
        engines: dict[str, Engine] = {
            "bm25": words,
            "dense": dense,
            "hybrid": HybridEngine(words, dense, SearchConfig(), weight=None),
        }
        one = one_question(asked[: chosen.count], engines, dense, words, store)
        many = many_questions(asked[: chosen.many], index, store)
    facts = {"passages": len(store), "dimension": encoder.dimension, "kind": chosen.kind, "k": K}
    facts |= {"questions": min(len(asked), chosen.count), "milliseconds": one, "many questions": many}
    chosen.output.write_text(json.dumps(about() | facts, indent=2) + "\n")
    print(json.dumps(facts, indent=2))


def one_question(
    questions: Sequence[Question],
    engines: dict[str, Engine],
    dense: DenseEngine,
    words: Bm25,
    store: PassageStore,
) -> dict[str, Any]:
    """Time the whole search of each question, and each part alone over all questions."""
    texts = [one.question for one in questions]
    vectors = [dense.encoder.encode([text]) for text in texts]
    depth = max(K, SearchConfig().candidates)
    found = [dense.index.search(vector, depth)[0] for vector in vectors]
    parts: dict[str, Callable[[int], Any]] = {
        "encode": lambda i: dense.encoder.encode([texts[i]]),
        "scan vectors": lambda i: dense.index.search(vectors[i], depth),
        "score vectors of BM25's hits": lambda i: dense.index.score(vectors[i], found[i]),
        "scan BM25": lambda i: words.search([texts[i]], depth),
        "score words of dense hits": lambda i: words.score([texts[i]], found[i]),
    }
    rows = {name: summary(times(part, len(questions))) for name, part in parts.items()}
    sums = {"bm25": ("scan BM25",), "dense": ("encode", "scan vectors"), "hybrid": tuple(parts)}
    for name, engine in engines.items():
        # each engine's own hits: those of BM25 hold the words of the answers more often
        hits = [engine.search([text], K)[0][0] for text in texts]
        taking = f"take passages of {name} and match answers"
        rows[taking] = summary(times(take_hits(questions, hits, store), len(questions)))
        whole = summary(times(whole_search(questions, engine, store), len(questions)))
        together = sum(rows[part]["median"] for part in (*sums[name], taking))
        rows[name] = whole | {"parts": round(together, 1), "ratio": round(whole["median"] / together, 2)}
    return rows


def whole_search(questions: Sequence[Question], engine: Engine, store: PassageStore) -> Callable[[int], Any]:
    return lambda i: list(search([questions[i]], engine, store, K, 1, Counter()))


def take_hits(
    questions: Sequence[Question], hits: Sequence[Any], store: PassageStore
) -> Callable[[int], Any]:
    def take(number: int) -> list[bool]:
        matcher = AnswerMatcher(questions[number].answers, questions[number].answer_type)
        passages = store.take([int(row) for row in hits[number] if row >= 0])
        return [matcher.found_in(passage.text) for passage in passages]

    return take


def many_questions(questions: Sequence[Question], index: DenseIndex, store: PassageStore) -> dict[str, Any]:
    """Time all questions together with the default batch, and its two large parts alone."""
    encoder = open_question_encoder(STARTER / "retriever", single=False)
    texts = [one.question for one in questions]
    encoder.encode(texts[:100])
    bare: Any = faiss.read_index(str(index.folder / FILE))
    vectors = encoder.encode(texts)
    bare.search(vectors[:100], K)
    engine = DenseEngine(encoder, index)
    batch = usual_batch_size(engine, SearchConfig(), K)
    parts: dict[str, Callable[[], Any]] = {
        "encode": lambda: encoder.encode(texts),
        "bare FAISS": lambda: bare.search(vectors, K),
        # taken as they come, as the command writes them
        "search": lambda: deque(search(questions, engine, store, K, batch, Counter()), maxlen=0),
    }
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(3):
        for name, part in parts.items():
            begun = time.perf_counter()
            part()
            seconds[name].append(time.perf_counter() - begun)
    medians = {name: round(statistics.median(taken), 2) for name, taken in seconds.items()}
    ratio = medians["search"] / (medians["encode"] + medians["bare FAISS"])
    return {"questions": len(texts), "batch": batch, "seconds": medians, "ratio": round(ratio, 2)}


def random_index(folder: Path, rows: int, width: int, kind: str) -> DenseIndex:
    """Index `rows` random vectors."""
    rng = np.random.default_rng(0)
    shards = range(0, rows, SHARD)
    for number, first in enumerate(shards):
        write_shard(folder, number, rng.standard_normal((min(SHARD, rows - first), width), dtype=np.float32))
    VectorsManifest(**NAMES, rows=rows, dimension=width, shards=len(shards)).write(folder)
    for _ in build(VectorStore.open(folder), IndexConfig(kind=kind), folder):
        pass
    IndexManifest(**NAMES, structure=kind).write(folder)
    return DenseIndex.open(folder)


def times(part: Callable[[int], Any], count: int) -> list[float]:
    """Return the milliseconds of each of `count` calls, after 20 calls that warm the caches."""
    taken = []
    for number in [*range(min(20, count)), *range(count)]:
        begun = time.perf_counter()
        part(number)
        taken.append(1000 * (time.perf_counter() - begun))
    return taken[min(20, count) :]


def summary(taken: Sequence[float]) -> dict[str, float]:
    last = sorted(taken)[int(0.95 * (len(taken) - 1))]
    named = {"median": statistics.median(taken), "95 %": last, "most": max(taken)}
    return {name: round(value, 1) for name, value in named.items()}


if __name__ == "__main__":
    main()

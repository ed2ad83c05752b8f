"""bm25s as its readme uses it: all texts tokenized, one index in memory, saved, loaded, searched.

python bm25s_plain.py build PASSAGES INDEX
python bm25s_plain.py search INDEX QUESTIONS.json K THREADS
"""

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import bm25s
import Stemmer

from densecli.artifacts.passages.store import PassageStore


def main() -> None:
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        search(
            Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text()), int(sys.argv[4]), int(sys.argv[5])
        )


def tokens(texts: list[str], return_ids: bool = True) -> object:
    return bm25s.tokenize(
        texts, stopwords="en", stemmer=Stemmer.Stemmer("porter"), return_ids=return_ids, show_progress=False
    )


def build(passages: Path, folder: Path) -> None:
    store = PassageStore.open(passages)
    index = bm25s.BM25(k1=0.9, b=0.4, method="lucene")
    texts = [f"{passage.title}\n{passage.text}" for _, block in store.blocks() for passage in block]
    index.index(tokens(texts), show_progress=False)
    index.save(folder)


def search(folder: Path, questions: list[str], k: int, threads: int) -> None:
    backend = "numba" if find_spec("numba") else "numpy"
    index = bm25s.BM25.load(folder)
    index.backend = backend
    found = {f"threads_{number}": rates(index, questions, k, number, backend) for number in (1, threads)}
    print(json.dumps({"backend": backend, **found}))


def rates(
    index: bm25s.BM25, questions: list[str], k: int, threads: int, backend: str
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {"rates": [], "cpu_rates": []}
    for _ in range(3 if backend == "numba" else 1):  # numba compiles in the first
        begun, cpu = time.perf_counter(), time.process_time()
        index.retrieve(
            tokens(questions, False), k=k, show_progress=False, n_threads=threads, backend_selection=backend
        )
        taken["rates"].append(len(questions) / (time.perf_counter() - begun))
        taken["cpu_rates"].append(len(questions) / (time.process_time() - cpu))
    return taken


if __name__ == "__main__":
    main()

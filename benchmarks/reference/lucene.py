"""Lucene's BM25, run by a Python that has pyserini 0.22 and pyjnius (it is no dependency of ours).

    PYTHON lucene.py index JSONL_FOLDER INDEX THREADS
    PYTHON lucene.py search INDEX QUESTIONS.json K THREADS RESULT.json [TIMES]

The jar of pyserini 0.22 runs on Java 11 and later. Each search is run TIMES times (3), since Java compiles
while it runs; the result has every rate, and rows and scores of the last.
"""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    package = importlib.util.find_spec("pyserini")
    jars = Path(package.origin).parent / "resources" / "jars"
    os.environ["CLASSPATH"] = str(next(jars.glob("*.jar")))
    if sys.argv[1] == "index":
        index(*sys.argv[2:])
    else:
        search(*sys.argv[2:])


def index(source: str, target: str, threads: str) -> None:
    java = ["java", "-Xmx4g", "io.anserini.index.IndexCollection", "-collection", "JsonCollection"]
    rest = ["-input", source, "-index", target, "-generator", "DefaultLuceneDocumentGenerator"]
    os.execvp("java", [*java, *rest, "-threads", threads])


def search(folder: str, source: str, k: str, threads: str, result: str, times: str = "3") -> None:
    from jnius import autoclass

    searcher = autoclass("io.anserini.search.SimpleSearcher")(folder)
    searcher.set_bm25(0.9, 0.4)
    texts = json.loads(Path(source).read_text())
    questions, ids = (autoclass("java.util.ArrayList")() for _ in range(2))
    for number, text in enumerate(texts):
        questions.add(text)
        ids.add(str(number))
    rates, cpu_rates = [], []
    for _ in range(int(times)):
        begun, cpu = time.perf_counter(), time.process_time()
        found = searcher.batch_search(questions, ids, int(k), int(threads))
        rates.append(len(texts) / (time.perf_counter() - begun))
        cpu_rates.append(len(texts) / (time.process_time() - cpu))
    lists = [[(int(hit.docid), hit.score) for hit in found.get(str(n)) or ()] for n in range(len(texts))]
    Path(result).write_text(json.dumps({"rates": rates, "cpu_rates": cpu_rates, "hits": lists}))


if __name__ == "__main__":
    main()

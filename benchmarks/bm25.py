"""BM25 beside plain bm25s and Lucene: building, starting, searching; and how building grows.

    python benchmarks/bm25.py --passages WORKSPACE/passages --questions FILE [--lucene PYTHON]
        [--bm25s PYTHON] [--accuracy FILE FILE:regex ...] [--growth 2 7]

Lucene's PYTHON is one that has pyserini 0.22 and pyjnius (reference/lucene.py), that of bm25s one that has
densecli, bm25s and numba, with which bm25s is fastest; the result says whether numba was there. --only bm25s
measures that row again, with a date and load of its own, and leaves the others of an earlier result as they
are. --growth builds over that many copies of the passages, in each of which a third of the longer words is
spelt another way, so that the vocabulary grows too. Everything is measured in processes of its own: wall
time, processor time, the highest memory of the process tree. Writes results/bm25.json.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from cold_start import about
from reference.measured import Taken, folder_mb, measured
from reference.paired import compared

from densecli.artifacts.passages.store import PassageStore
from densecli.formats.read_questions import read_questions
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build
from densecli.lexical.stored import open_index
from densecli.records import Passage

HERE = Path(__file__).parent
REFERENCE = HERE / "reference"
K = 100
PAPER = 21_015_324  # passages
START = """
import sys; from pathlib import Path; from densecli.lexical.bm25 import Bm25
Bm25.open(Path(sys.argv[1])).search(["who voiced Meg in Family Guy"], 100)
"""


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--passages", type=Path, required=True)
    options.add_argument("--questions", required=True)
    options.add_argument("--take", type=int, default=1000, help="questions asked")
    options.add_argument("--threads", type=int, default=os.cpu_count(), help="that build")
    options.add_argument("--lucene", help="a Python with pyserini and pyjnius")
    options.add_argument("--bm25s", help="a Python with densecli, bm25s and numba; this one by default")
    options.add_argument("--only", choices=["bm25s"], help="the one row to measure again")
    options.add_argument("--accuracy", nargs="*", default=[], help="test questions, as FILE or FILE:regex")
    options.add_argument("--growth", type=int, nargs="*", default=[], help="numbers of copies")
    options.add_argument("--output", type=Path, default=HERE / "results" / "bm25.json")
    options.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.step:
        step(chosen.step, chosen.passages, chosen.questions, chosen.threads)
        return
    rows: dict[str, Any] = {**about(), "passages": len(PassageStore.open(chosen.passages)), "k": K}
    rows |= {"questions": Path(chosen.questions).name, "asked": chosen.take, "threads": chosen.threads}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        questions = work / "questions.json"
        taken = islice(read_questions(chosen.questions), chosen.take)
        questions.write_text(json.dumps([question.question for question in taken]))
        if chosen.only:
            again_at = {name: rows[name] for name in ("date", "load")}
            rows = json.loads(chosen.output.read_text())
            rows["bm25s"] = again_at | plain_bm25s(chosen, questions, work / "bm25s")
            tell(rows, chosen.output)
            return
        rows["densecli"] = ours(chosen, questions, work / "densecli")
        tell(rows, chosen.output)
        if chosen.bm25s or find_spec("bm25s"):
            rows["bm25s"] = plain_bm25s(chosen, questions, work / "bm25s")
            tell(rows, chosen.output)
        if chosen.lucene:
            rows["lucene"], hits = lucene(chosen, questions, work / "lucene")
            rows["agreement"] = agreement(work / "densecli", questions, hits)
            rows["accuracy"] = {
                Path(name.partition(":")[0]).name: accuracy(chosen, name, work) for name in chosen.accuracy
            }
            tell(rows, chosen.output)
        rows["growth"] = [growth(chosen, copies, work / "grown") for copies in chosen.growth]
        if rows["growth"]:
            rows["extrapolated"] = extrapolated(rows["densecli"], rows["growth"], rows["passages"])
    tell(rows, chosen.output)


def tell(rows: dict[str, Any], output: Path) -> None:
    """Write and print what is known so far."""
    output.write_text(json.dumps(rows, indent=2) + "\n")
    print(list(rows.items())[-1], flush=True)


def again(chosen: argparse.Namespace, *words: str | Path) -> tuple[Taken, str]:
    """Run one step of this file in a process of its own."""
    line = [sys.executable, __file__, "--passages", chosen.passages, "--questions", chosen.questions]
    return measured([*line, "--threads", str(chosen.threads), "--step", *map(str, words)])


def step(words: list[str], passages: Path, questions: str, threads: int) -> None:
    name, folder = words[0], Path(words[1])
    if name == "build":
        folder.mkdir()
        build(copies_of(PassageStore.open(passages), int(words[2])), folder, workers=threads)
        return
    texts = json.loads(Path(words[2]).read_text())
    index = Bm25.open(folder)
    result = {"batch": rates(index, [texts]), "one_by_one": rates(index, [[text] for text in texts])}
    with ProcessPoolExecutor(threads, get_context("spawn")) as pool:
        list(pool.map(asked_there, [folder] * threads, [texts[:10]] * threads))
        parts = [texts[first::threads] for first in range(threads)]
        taken = []
        for _ in range(3):
            begun = time.perf_counter()
            list(pool.map(asked_there, [folder] * threads, parts))
            taken.append(len(texts) / (time.perf_counter() - begun))
    print(json.dumps({**result, f"processes_{threads}": {"rates": taken}}))


@cache
def opened(folder: Path) -> Bm25:
    return Bm25.open(folder)


def asked_there(folder: Path, texts: list[str]) -> None:
    """Search in whichever process this is."""
    opened(folder).search(texts, K)


def rates(index: Bm25, batches: list[list[str]]) -> dict[str, list[float]]:
    total = sum(map(len, batches))
    found: dict[str, list[float]] = {"rates": [], "cpu_rates": []}
    for _ in range(3):
        begun, cpu = time.perf_counter(), time.process_time()
        for batch in batches:
            index.search(batch, K)
        found["rates"].append(total / (time.perf_counter() - begun))
        found["cpu_rates"].append(total / (time.process_time() - cpu))
    return found


def copies_of(store: PassageStore, copies: int) -> Iterator[Passage]:
    for copy in range(copies):
        changed = lru_cache(maxsize=1 << 20)(lambda word, copy=copy: spelt(word, copy))
        for _, block in store.blocks():
            for passage in block:
                text = " ".join(map(changed, passage.text.split())) if copy else passage.text
                yield Passage(f"{copy}-{passage.id}", passage.title, text)


def spelt(word: str, copy: int) -> str:
    changes = len(word) > 6 and zlib.crc32(word.lower().encode()) % 3 == 0
    return word[:3] + chr(ord("a") + copy) + word[3:] if changes else word


def ours(chosen: argparse.Namespace, questions: Path, folder: Path) -> dict[str, Any]:
    building, _ = again(chosen, "build", folder, "1")
    starts = [measured([sys.executable, "-c", START, folder])[0].seconds for _ in range(5)]
    _, printed = again(chosen, "search", folder, questions)
    cold = {"best": round(min(starts), 3), "all": [round(taken, 3) for taken in starts]}
    return {"build": building.row(), "disk_mb": folder_mb(folder), "cold_start": cold, **json.loads(printed)}


def plain_bm25s(chosen: argparse.Namespace, questions: Path, folder: Path) -> dict[str, Any]:
    line = [chosen.bm25s or sys.executable, REFERENCE / "bm25s_plain.py"]
    building, _ = measured([*line, "build", chosen.passages, folder])
    _, printed = measured([*line, "search", folder, questions, str(K), str(chosen.threads)])
    return {"build": building.row(), "disk_mb": folder_mb(folder), **json.loads(printed)}


def lucene(
    chosen: argparse.Namespace, questions: Path, folder: Path
) -> tuple[dict[str, Any], list[list[list[float]]]]:
    source = folder.with_name("lucene-source")
    source.mkdir()
    with ExitStack() as stack:  # a file is one thread's work
        files = [stack.enter_context(open(source / f"{part}.jsonl", "w")) for part in range(8)]
        passages = (passage for _, block in PassageStore.open(chosen.passages).blocks() for passage in block)
        for row, passage in enumerate(passages):
            contents = f"{passage.title}\n{passage.text}"
            files[row % len(files)].write(json.dumps({"id": str(row), "contents": contents}) + "\n")
    line = [chosen.lucene, REFERENCE / "lucene.py"]
    building, _ = measured([*line, "index", source, folder, str(chosen.threads)])
    result = folder.with_name("lucene.json")
    found = {}
    for threads in ("1", str(chosen.threads)):
        measured([*line, "search", folder, questions, str(K), threads, result])
        found[f"threads_{threads}"] = json.loads(result.read_text())
    hits = found["threads_1"]["hits"]
    searching = {name: {key: row[key] for key in ("rates", "cpu_rates")} for name, row in found.items()}
    return {"build": building.row(), "disk_mb": folder_mb(folder), **searching}, hits


def agreement(folder: Path, questions: Path, hits: list[list[list[float]]]) -> dict[str, float]:
    """Return how much of Lucene's top 20 we find, with exact lengths and with its one-byte ones."""
    texts = json.loads(questions.read_text())[:500]
    settings, _, _, postings = open_index(folder)
    shares = {}
    for name, lengths in (("exact_lengths", int), ("one_byte_lengths", one_byte)):
        pairs = np.load(folder / "pairs.npy")
        pairs[:, 1] = [lengths(int(length)) for length in pairs[:, 1]]
        index = Bm25.open(folder)
        index._postings = replace(
            postings, saturation=settings.saturation(pairs), best=np.ones_like(postings.best)
        )
        rows, _ = index.search(texts, 20)
        theirs = [{row for row, _ in found[:20]} for found in hits]
        same = [
            len(set(ours.tolist()) & found) / len(found)
            for ours, found in zip(rows, theirs, strict=False)
            if found
        ]
        shares[name] = round(sum(same) / len(same), 4)
    return shares


def accuracy(chosen: argparse.Namespace, name: str, work: Path) -> dict[str, Any]:
    """Return top-k accuracy on a test set beside Lucene's, with a paired test."""
    path, _, kind = name.partition(":")
    asked = list(read_questions(path, kind or None))
    texts, result = work / "texts.json", work / "hits.json"
    texts.write_text(json.dumps([question.question for question in asked]))
    line = [chosen.lucene, REFERENCE / "lucene.py", "search", work / "lucene", texts, str(K)]
    measured([*line, str(chosen.threads), result, "1"])
    theirs = [[row for row, _ in hits] for hits in json.loads(result.read_text())["hits"]]
    ours, _ = Bm25.open(work / "densecli").search([question.question for question in asked], K)
    return compared(asked, ours.tolist(), theirs, PassageStore.open(chosen.passages))


def one_byte(length: int) -> int:
    """Return a length as Lucene keeps it: exact below 40, then with four significant bits."""
    if length < 24:
        return length
    shift = max(0, (length - 24).bit_length() - 4)
    return 24 + ((length - 24) >> shift << shift)


def growth(chosen: argparse.Namespace, copies: int, folder: Path) -> dict[str, Any]:
    building, _ = again(chosen, "build", folder, str(copies))
    starts = [measured([sys.executable, "-c", START, folder])[0].seconds for _ in range(3)]
    settings, _, vocabulary, _ = open_index(folder)
    row = {
        "passages": settings.passages,
        "terms": len(vocabulary),
        "build": building.row(),
        "disk_mb": folder_mb(folder),
        "cold_start": round(min(starts), 3),
    }
    shutil.rmtree(folder)
    return row


def extrapolated(first: dict[str, Any], rows: list[dict[str, Any]], passages: int) -> dict[str, Any]:
    """Return memory, disk and time at the paper's size, on a line through the first and the last build."""
    last = rows[-1]
    share = (PAPER - passages) / (last["passages"] - passages)

    def line(one: float, other: float) -> float:
        return round(one + (other - one) * share)

    return {
        "passages": PAPER,
        "peak_mb": line(first["build"]["peak_mb"], last["build"]["peak_mb"]),
        "disk_mb": line(first["disk_mb"], last["disk_mb"]),
        "cpu_seconds": line(first["build"]["cpu_seconds"], last["build"]["cpu_seconds"]),
    }


if __name__ == "__main__":
    main()

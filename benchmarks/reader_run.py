"""Exact match and F1 of the reader over five test sets, by what finds the passages and by how many are read.

    python benchmarks/reader_run.py DATA DEV WORK
    python benchmarks/reader_page.py WORK/reader-run.json > docs/runs/reader.md

DATA holds wiki/psgs_main_w100.tsv.gz, questions/ and squad/. DEV is a file of questions that λ is tuned on,
such as dev.jsonl of examples/starter/recipe.sh. All else lies in WORK: a run that was stopped or killed goes
on there when the same command is given again. The commands of densecli find 50 passages for each question
with BM25, vectors, and both. All passages of a question are read in one pass, each of them once, and the
answers for every way of retrieval and every k are chosen from what was read. Writes WORK/reader-run.json;
WORK/answers.jsonl has a line for each question.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from cold_start import about
from hybrid_run import BATCH, SETS, read_tests
from pool import FILE, part_named, write_pool
from steps import alone_in, measured_once

from densecli.artifacts.line_log import LineLog
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.recipe import digest_file
from densecli.configs.asking import ReadConfig
from densecli.encoders.engines import ANY, engines_for_many
from densecli.encoders.hardware import has_bfloat16, has_gpu
from densecli.evaluation.compare import Comparison
from densecli.evaluation.significance import holm
from densecli.files.atomic import new_file
from densecli.files.jsonl import write_lines
from densecli.formats.read_questions import read_questions
from densecli.formats.read_results import read_ranked
from densecli.models.folder import fingerprint
from densecli.reader.decode import ReadPassage
from densecli.reader.engines import open_reader
from densecli.reader.runtime import Reader
from densecli.reader.selection import Selection, select_answers
from densecli.reader.tuned import selection_for
from densecli.records import Passage, Prediction, Question, RankedList, Span
from densecli.text.sentence import sentence_bounds
from densecli.workflows.evaluate import evaluate
from densecli.workflows.models import base_folder

SEED = 0
CUTS = (1, 5, 10, 20, 50)
DEPTH = max(CUTS)
COMPARED_AT = (10, DEPTH)
"""The depth that the starter's answers are chosen from by default, and all passages."""
RESAMPLES = 100_000
"""The least p is 1 in these; after the correction for 36 tests it is still below 0.001."""
MODES = {
    "hybrid": "--mode hybrid --retriever BASE",
    "dense": "--mode dense --retriever BASE",
    "bm25": "--mode bm25",
}
QUESTIONS, DEV, ANSWERS, RESULT = "questions.jsonl", "dev.jsonl", "answers.jsonl", "reader-run.json"
STEPS = (
    "preprocess pool.tsv",
    "index --kind bm25",
    "embed --retriever BASE",
    "index",
    f"search --tune-lambda {DEV} --retriever BASE {BATCH}",
    *(
        f"search {QUESTIONS} {options} -k {DEPTH} {BATCH} --no-text -o {mode}.jsonl"
        for mode, options in MODES.items()
    ),
)
Ranked = Mapping[str, Mapping[str, RankedList]]
"""What was found, by the way of retrieval and the id of the question."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--retriever", default="starter", help="folder, Hub name, or starter")
    parser.add_argument("--reader", default="starter", help="folder or starter")
    parser.add_argument("--questions", type=int, default=500, help="of each set, drawn with seed 0")
    parser.add_argument("--pool", default="full", help="full, 42k, or a number of first rows, for a trial")
    options = parser.parse_args()
    with alone_in(options.work):
        print(run(options))


def run(options: argparse.Namespace) -> Path:
    """Do what is left to do, and return the file of the figures."""
    data, work = options.data, options.work
    os.environ["DENSECLI_WORKSPACE"] = str((work / ".densecli").resolve())
    retriever = base_folder(options.retriever, "retriever").resolve()
    reader = base_folder(options.reader, "reader")
    settings = {
        **{name: getattr(options, name) for name in ("questions", "pool")},
        "dev": sum(1 for _ in read_questions(str(options.dev))),
        **{name: Path(getattr(options, name)).name for name in ("retriever", "reader")},
        "retriever_fingerprint": fingerprint(retriever),
        "reader_fingerprint": fingerprint(reader),
        "data": {**digests(data), "dev": digest_file(options.dev)},
    }
    refuse_others(work / "settings.json", settings)
    sizes = collect(data, work, options)
    done = measured_once(STEPS, str(retriever), work)
    ranked = {
        mode: {one.question.id: one for one in read_ranked(str(work / f"{mode}.jsonl"))} for mode in MODES
    }
    store = PassageStore.open(work / ".densecli" / "passages")
    selection, _ = selection_for(reader, ReadConfig())
    read_once(ranked, store, reader, selection, work / ANSWERS)
    rows = [json.loads(line) for line in (work / ANSWERS).open("rb")]
    measured, compared = measure(ranked, rows)
    files = (QUESTIONS, DEV, ANSWERS, *(f"{mode}.jsonl" for mode in MODES))
    figures = {
        **about(),
        **hardware(),
        "settings": settings,
        "passages": {"number": len(store), "fingerprint": store.fingerprint},
        "files": {name: digest_file(work / name) for name in files},
        "weight": next(step["printed"]["weight"] for name, step in done.items() if "--tune-lambda" in name),
        "selection": asdict(selection),
        "cuts": CUTS,
        "resamples": RESAMPLES,
        "sets": {name: {**sizes[name], **measured[name]} for name in SETS},
        "compared": compared,
        "reading": {
            "passages": sum(row["passages"] for row in rows),
            "found": sum(len(one.ctxs) for by_id in ranked.values() for one in by_id.values()),
            "seconds": round(sum(row["seconds"] for row in rows), 1),
            "cpu_seconds": round(sum(row["cpu_seconds"] for row in rows), 1),
        },
        "steps": {command: done[command] for command in STEPS},  # WORK may hold those of other runs
    }
    with new_file(work / RESULT) as unfinished:
        unfinished.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return Path(work / RESULT)


def hardware() -> dict[str, Any]:
    """Return what computes the models, and the versions of the libraries that do."""
    found: dict[str, Any] = {"engine": engines_for_many(ANY)[0], "bfloat16": has_bfloat16(), "gpu": None}
    found["engine"] += " " + version(found["engine"])
    if has_gpu():
        import torch  # only a GPU needs it

        found["gpu"] = torch.cuda.get_device_name()
    return found


def digests(data: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that the run reads."""
    return {str(name): digest_file(data / name) for name in (FILE, *(one.test for one in SETS.values()))}


def refuse_others(file: Path, settings: Mapping[str, Any]) -> None:
    """Note the settings of a new run; leave a folder alone that holds a run with other ones.

    Raises:
        SystemExit: it does.
    """
    if not file.exists():
        with new_file(file) as unfinished:
            unfinished.write_text(json.dumps(settings, indent=2) + "\n")
    elif (before := json.loads(file.read_text())) != settings:
        names = ", ".join(name for name in settings if before.get(name) != settings[name])
        raise SystemExit(f"{file.parent} holds a run with another {names}: name another folder")


def collect(data: Path, work: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Put passages and questions into the work folder; return how many questions each set has."""
    tests = read_tests(data)
    if not (work / "pool.tsv").exists():
        write_pool(data, work / "pool.tsv", part_named(options.pool))
    if not (work / QUESTIONS).exists():
        drawn = (
            replace(question, id=f"{name}-{question.id}").to_json()
            for name, asked in tests.items()
            for question in Random(SEED).sample(asked, min(options.questions, len(asked)))
        )
        write_lines(work / QUESTIONS, drawn)
    if not (work / DEV).exists():
        shutil.copyfile(options.dev, work / DEV)
    return {name: {"title": one.title, "of": len(tests[name])} for name, one in SETS.items()}


class Stopwatch:
    """Seconds by the clock and of the processor since the last look."""

    def __init__(self) -> None:
        self._last = time.perf_counter(), time.process_time()

    def look(self) -> dict[str, float]:
        (clock, spent), self._last = self._last, (time.perf_counter(), time.process_time())
        return {"seconds": self._last[0] - clock, "cpu_seconds": self._last[1] - spent}


def read_once(ranked: Ranked, store: PassageStore, folder: Path, selection: Selection, answers: Path) -> None:
    """Read the passages of each question, and write a line with its answers; those that are there stay."""
    asked = [one.question for one in next(iter(ranked.values())).values()]
    log = LineLog(answers, answers.read_bytes().count(b"\n") if answers.exists() else 0)
    done = {row["id"] for row in log.rows()}
    left = [question for question in asked if question.id not in done]
    if left:
        reader = open_reader(folder, single=False)
        watch = Stopwatch()
        for number, row in enumerate(read_questions_once(left, ranked, store, reader, selection), 1):
            log.add({**row, **watch.look()})
            print(f"\rread {len(done) + number:,} of {len(asked):,} questions", end="", file=sys.stderr)
        print(file=sys.stderr)
    log.close()


def read_questions_once(
    asked: Sequence[Question], ranked: Ranked, store: PassageStore, reader: Reader, selection: Selection
) -> Iterator[dict[str, Any]]:
    """Yield for each question the answers by way of retrieval and k.

    A line is the question with `spans`, the different answers, each with the sentence it stands in; `chosen`,
    by way of retrieval the place of the answer among them for each k, or null; and `passages`, how many were
    read.
    """

    def found_passages(question: Question) -> list[Passage]:
        lists = (by_id[question.id].ctxs for by_id in ranked.values())
        ids = dict.fromkeys(ctx.passage.id for ctxs in lists for ctx in ctxs)
        return [store[row] for row in map(store.row_of, ids) if row is not None]

    to_read = ((one.question, found_passages(one)) for one in asked)
    for question, passages in zip(asked, reader.read_passages(to_read), strict=True):
        read = {one.passage.id: one for one in passages}
        spans: dict[str, dict[str, Any]] = {}
        chosen: dict[str, list[int | None]] = {mode: [] for mode in ranked}
        for mode, by_id in ranked.items():
            for k in CUTS:
                span = answer(read, by_id[question.id], k, selection, reader.max_answer_tokens)
                if span is None:
                    chosen[mode].append(None)
                    continue
                key = f"{span.passage_id} {span.start} {span.end}"
                spans.setdefault(key, {**replace(span, score=None).to_json(), **in_sentence(read, span)})
                chosen[mode].append(list(spans).index(key))
        both = {"spans": list(spans.values()), "chosen": chosen}
        yield {**question.to_json(), "passages": len(passages), **both}


def answer(
    read: Mapping[str, ReadPassage], found: RankedList, k: int, selection: Selection, max_answer_tokens: int
) -> Span | None:
    """Return the answer from the first `k` passages of a ranked list, all of which were read."""
    ctxs = found.ctxs[:k]
    passages = [read[ctx.passage.id] for ctx in ctxs]
    spans = select_answers(passages, [ctx.score for ctx in ctxs], selection, max_answer_tokens, 1)
    return spans[0] if spans else None


def in_sentence(read: Mapping[str, ReadPassage], span: Span) -> dict[str, Any]:
    """Return the sentence around an answer, and where in it the answer begins."""
    text = read[span.passage_id].passage.text
    first, last = sentence_bounds(text, span.start, span.end)
    return {"sentence": text[first:last], "at": span.start - first}


def predictions(rows: Sequence[Mapping[str, Any]], mode: str, k: int) -> Iterator[Prediction]:
    """Yield what was read in the first `k` passages of one way of retrieval, without the passages."""
    for row in rows:
        place = row["chosen"][mode][CUTS.index(k)]
        spans = () if place is None else (Span.from_json(row["spans"][place]),)
        yield Prediction(RankedList(Question.from_json(row), ()), spans)


def measure(
    ranked: Ranked, rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Measure answers and passages of each set; compare hybrid retrieval with its two sides at two k.

    Returns:
        by set the number of questions and, by measure, way of retrieval and k, `[value, low, high]` in per
        cent; and the comparisons, corrected together.
    """
    measured: dict[str, dict[str, Any]] = {}
    compared: list[tuple[str, int, Comparison]] = []
    for name in SETS:
        its = [row for row in rows if row["id"].startswith(f"{name}-")]
        found = {mode: [by_id[row["id"]] for row in its] for mode, by_id in ranked.items()}
        lists = evaluate(found, top_k=",".join(map(str, CUTS)), resamples=RESAMPLES)
        measured[name] = {
            "questions": len(its),
            "passage": {
                mode: [with_interval(one, f"top-{k}") for k in CUTS] for mode, one in lists.measured.items()
            },
            "EM": {mode: [] for mode in MODES},
            "F1": {mode: [] for mode in MODES},
        }
        for k in CUTS:
            read = evaluate({mode: predictions(its, mode, k) for mode in MODES}, resamples=RESAMPLES)
            for mode, summary in read.measured.items():
                for measure in ("EM", "F1"):
                    measured[name][measure][mode].append(with_interval(summary, measure))
            # the F1 of a set of patterns is its exact match
            regex = {row["answer_type"] for row in its} == {"regex"}
            kept = [one for one in read.comparisons if one.measure == "EM" or not regex]
            compared += [(name, k, one) for one in kept if k in COMPARED_AT]
    corrected = holm([one.p for *_, one in compared])
    return measured, [
        {
            "set": name, "k": k, "against": one.run, "measure": one.measure,
            "gain": 0.0 - one.difference, "p_alone": one.p, "p": p,
        }
        for (name, k, one), p in zip(compared, corrected, strict=True)
    ]  # fmt: skip


def with_interval(summary: Any, measure: str) -> list[float | None]:
    """Return a measure with its interval, in percent; None where no list is as long."""
    if measure not in summary.values():
        return [None, None, None]
    return [round(value, 4) for value in (summary.values()[measure], *summary.intervals[measure])]


if __name__ == "__main__":
    main()

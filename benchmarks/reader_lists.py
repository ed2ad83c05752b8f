"""The ranked lists of reader_run.py in small files, so that another machine can read without embedding first.

    python benchmarks/reader_lists.py pack WORK LISTS
    python benchmarks/reader_lists.py unpack DATA DEV LISTS WORK
    python benchmarks/reader_run.py DATA DEV WORK

`pack` leaves out questions and answers. `unpack` takes them from DATA, so that the lists are the same to the
byte, and prepares the passages; the commands of the search count as done.
"""

import argparse
import json
import lzma
import os
from pathlib import Path
from typing import Any

import numpy as np
from reader_run import MODES, QUESTIONS, STEPS, collect
from steps import alone_in, measured_once

from densecli.artifacts.recipe import digest_file
from densecli.files.atomic import new_file
from densecli.files.jsonl import write_lines

SETTINGS, COMMANDS, DIGESTS = "settings.json", "steps.json", "digests.json"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    does = parser.add_subparsers(dest="does", required=True)
    for name, places in {"pack": ("work", "lists"), "unpack": ("data", "dev", "lists", "work")}.items():
        command = does.add_parser(name)
        for place in places:
            command.add_argument(place, type=Path)
    options = parser.parse_args()
    with alone_in(options.work):
        if options.does == "pack":
            pack(options.work, options.lists)
        else:
            unpack(options.data, options.dev, options.lists, options.work)


def pack(work: Path, lists: Path) -> None:
    """Write the ranked lists of a run, with its settings and what its commands took."""
    lists.mkdir(parents=True, exist_ok=True)
    for name in (SETTINGS, COMMANDS):
        (lists / name).write_bytes((work / name).read_bytes())
    for mode in MODES:
        with lzma.open(lists / f"{mode}.xz", "wt", encoding="utf-8", preset=9) as stream:
            for row in map(json.loads, (work / f"{mode}.jsonl").open("rb")):
                # a score was a float32: nine digits hold it
                found = [
                    [ctx["id"], f"{np.float32(ctx['score'])!s}", ctx["has_answer"]] for ctx in row["ctxs"]
                ]
                stream.write(json.dumps(found) + "\n")
    digests = {f"{mode}.jsonl": digest_file(work / f"{mode}.jsonl") for mode in MODES}
    (lists / DIGESTS).write_text(json.dumps(digests, indent=2) + "\n")


def unpack(data: Path, dev: Path, lists: Path, work: Path) -> None:
    """Begin a run whose searches are done.

    Raises:
        SystemExit: DATA is not that of the run, or the lists are damaged.
    """
    settings = json.loads((lists / SETTINGS).read_bytes())
    os.environ["DENSECLI_WORKSPACE"] = str((work / ".densecli").resolve())
    collect(data, work, argparse.Namespace(**{**settings, "dev": dev}))
    measured_once(STEPS[:1], "", work)
    questions = [json.loads(row) for row in (work / QUESTIONS).open("rb")]
    for mode in MODES:
        with lzma.open(lists / f"{mode}.xz", "rt", encoding="utf-8") as stream:
            lines = [
                {**question, "ctxs": [restored(*one) for one in json.loads(row)]}
                for question, row in zip(questions, stream, strict=True)
            ]
        with new_file(work / f"{mode}.jsonl") as unfinished:
            write_lines(unfinished, lines)
    for name, digest in json.loads((lists / DIGESTS).read_bytes()).items():
        if digest_file(work / name) != digest:
            raise SystemExit(f"{work / name} is not the file that was packed: {data} or {lists} differs")
    for name in (SETTINGS, COMMANDS):
        with new_file(work / name) as unfinished:
            unfinished.write_bytes((lists / name).read_bytes())


def restored(passage: str, score: str, has_answer: bool) -> dict[str, Any]:
    return {"id": passage, "score": float(np.float32(score)), "has_answer": has_answer}


if __name__ == "__main__":
    main()

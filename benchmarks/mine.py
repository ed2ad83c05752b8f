"""How fast `mine-negatives` is: a whole run of the command; one process beside a naive loop, same results.

    python benchmarks/mine.py --workspace WORKSPACE --questions FILE FILE ...

WORKSPACE has passages and a BM25 index. The first --take questions of the files, taken in turn, are mined by
the command (`--negatives bm25:30`, depth 100) with all cores; the first --compare of them by one process, and
by the loop in reference/mine_loop.py. Writes results/mine.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import chain, islice, zip_longest
from pathlib import Path

from cold_start import about
from reference.mine_loop import mine_loop

from densecli.artifacts.passages.store import PassageStore
from densecli.configs.mining import MineConfig
from densecli.files.jsonl import write_lines
from densecli.formats.read_questions import read_questions
from densecli.lexical.bm25 import Bm25
from densecli.mining.mine import mine
from densecli.mining.miner import Miner
from densecli.records import Question, TrainingExample

RESULT = Path(__file__).parent / "results" / "mine.json"
NEGATIVES = 30
CONFIG = MineConfig(negatives=f"bm25:{NEGATIVES}")


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--workspace", type=Path, required=True)
    options.add_argument("--questions", nargs="+", required=True)
    options.add_argument("--take", type=int, default=20_000, help="questions mined by the command; 0: none")
    options.add_argument("--compare", type=int, default=1000, help="questions of the comparison")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    turns = zip_longest(*(read_questions(path) for path in chosen.questions))
    stream = (question for turn in turns for question in turn if question is not None)
    numbered = (
        Question(str(number), question.question, question.answers, question.answer_type)
        for number, question in enumerate(stream)
    )
    questions = list(islice(numbered, max(chosen.take, chosen.compare)))
    store = PassageStore.open(chosen.workspace / "passages")
    bm25 = Bm25.open(chosen.workspace / "bm25")
    rows = {
        "passages": len(store),
        "cores": os.cpu_count(),
        "depth": CONFIG.depth,
        "negatives": CONFIG.negatives,
    }
    if chosen.take:
        rows["command"] = command(chosen.workspace, questions[: chosen.take])
    rows["comparison"] = compared(questions[: chosen.compare], bm25, store)
    chosen.output.write_text(json.dumps({**about(), **rows}, indent=2) + "\n")
    print(json.dumps(rows, indent=2))


def command(workspace: Path, questions: list[Question]) -> dict[str, object]:
    """Return what a run of the command took, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "questions.jsonl"
        write_lines(asked, (question.to_json() for question in questions))
        line = ["mine-negatives", str(asked), "-w", str(workspace), "-o", f"{folder}/out"]
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "densecli", *line, "--negatives", CONFIG.negatives], check=True)
        seconds = time.perf_counter() - begun
        counts = json.loads((Path(folder) / "out" / "manifest.json").read_text())["counts"]
    return {"questions": len(questions), "seconds": round(seconds, 1), "counts": counts}


def compared(questions: list[Question], bm25: Bm25, store: PassageStore) -> dict[str, object]:
    """Return the processor seconds of BM25 alone, of mining and of the loop, after a round that warms up."""
    bm25.search([question.question for question in questions], CONFIG.depth)
    begun = time.process_time()
    bm25.search([question.question for question in questions], CONFIG.depth)
    searched = time.process_time()
    examples = (TrainingExample(question, ()) for question in questions)
    blocks = mine(examples, lambda: Miner(store, bm25, CONFIG), store, CONFIG, Counter())
    ours = [
        (one.question.id, one.positives[0].id, [passage.id for passage in one.hard_negatives])
        for one in chain.from_iterable(blocks)
    ]
    mined = time.process_time()
    naive = list(mine_loop(questions, bm25, store, CONFIG.depth, NEGATIVES))
    looped = time.process_time()
    assert ours == naive, "mining and the loop differ"
    search, ours_took, naive_took = searched - begun, mined - searched, looped - mined
    return {
        "questions": len(questions),
        "examples, the same from both": len(ours),
        "cpu seconds": {
            "bm25 alone": round(search, 2),
            "mine": round(ours_took, 2),
            "loop": round(naive_took, 2),
        },
        "without bm25, times as fast": round((naive_took - search) / (ours_took - search), 1),
    }


if __name__ == "__main__":
    main()

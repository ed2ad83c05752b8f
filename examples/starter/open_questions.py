"""Choose questions for the reader from search results: a part of each set, all with an answer in 20 passages.

    densecli search train.jsonl --mode hybrid -k 50 -o found.jsonl
    python examples/starter/open_questions.py found.jsonl --output open.jsonl --round 2

The parts are drawn with a fixed seed and mixed; PARTS has their sizes. Prints the counts. Each round of
training takes the next questions. After the last questions, the next round takes the first ones again.
"""

import argparse
import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from densecli.files.jsonl import write_lines
from densecli.formats.read_results import read_ranked

PARTS = {
    "nq": 2600,
    "trivia": 1700,
    "webq": 1100,
    "trec": 700,
    "squad36": 900,
    "freebaseqa": 400,
    "tydi": 400,
}
DEPTH = 20
SEED = 15


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", help="search results with text, a file")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--count", type=int, default=4000, help="questions in all (default 4000)")
    parser.add_argument("--round", type=int, default=1, help="the round of training, from 1 (default 1)")
    options = parser.parse_args()
    chosen = choose(options.results, options.count, options.round)
    wanted = set(chosen)
    # in a second pass: the results of all questions may not fit into memory
    rows = {
        one.question.id: replace(one, ctxs=one.ctxs[:DEPTH]).to_json()
        for one in read_ranked(options.results)
        if one.question.id in wanted
    }
    print(f"{options.output}: {write_lines(options.output, (rows[name] for name in chosen)):,}")


def choose(results: str, count: int, training_round: int) -> list[str]:
    """Return the ids of the questions of a round, in order."""
    names = defaultdict(list)
    for one in read_ranked(results):
        if any(passage.has_answer for passage in one.ctxs[:DEPTH]):
            names[one.question.id.split("-")[0]].append(one.question.id)
    rng = random.Random(SEED)
    chosen = []
    for part, size in PARTS.items():
        rng.shuffle(names[part])
        chosen += names[part][:size]
        print(f"{part}: {min(size, len(names[part])):,} of {len(names[part]):,}")
    rng.shuffle(chosen)
    rounds = max(1, -(-len(chosen) // count))
    first = (training_round - 1) % rounds * count
    return chosen[first : first + count]


if __name__ == "__main__":
    main()

"""Choose questions for the reader from search results: a part of each set, all with an answer in 20 passages.

    densecli search train.jsonl --mode hybrid -k 50 -o found.jsonl
    python examples/starter/open_questions.py found.jsonl --output open-2.jsonl --without open-1.jsonl

The parts are drawn with a fixed seed and mixed; PARTS has their sizes. Prints the counts. A further round of
training takes other questions: --without names the files of the rounds before. If no others are left, it
takes the first ones again.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Set
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
    parser.add_argument("--without", nargs="*", default=[], help="files whose questions are not taken again")
    options = parser.parse_args()
    used = {one.question.id for path in options.without for one in read_ranked(path)}
    chosen = choose(options.results, options.count, used) or choose(options.results, options.count, set())
    wanted = set(chosen)
    # in a second pass: the results of all questions may not fit into memory
    rows = {
        one.question.id: replace(one, ctxs=one.ctxs[:DEPTH]).to_json()
        for one in read_ranked(options.results)
        if one.question.id in wanted
    }
    print(f"{options.output}: {write_lines(options.output, (rows[name] for name in chosen)):,}")


def choose(results: str, count: int, used: Set[str]) -> list[str]:
    """Return the ids of the questions to take, in order."""
    names = defaultdict(list)
    for one in read_ranked(results):
        if one.question.id not in used and any(passage.has_answer for passage in one.ctxs[:DEPTH]):
            names[one.question.id.split("-")[0]].append(one.question.id)
    rng = random.Random(SEED)
    chosen = []
    for part, size in PARTS.items():
        rng.shuffle(names[part])
        chosen += names[part][:size]
        print(f"{part}: {min(size, len(names[part])):,} of {len(names[part]):,}")
    rng.shuffle(chosen)
    return chosen[:count]


if __name__ == "__main__":
    main()

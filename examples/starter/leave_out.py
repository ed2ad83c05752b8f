"""Leave the articles of the SQuAD test out of search results over the whole collection.

    python examples/starter/leave_out.py found-whole.jsonl --data ../shared/data --output found.jsonl

Neither training nor the choice of a recipe sees these articles. pool.py leaves them out of its pool; this is
for searches of all passages. Keeps the first 20 other passages of each question, and prints the counts.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pool import cut_blocks
from spans import TestArticles

from densecli.files.jsonl import write_lines
from densecli.formats.read_results import read_ranked
from densecli.records import RankedList

DEPTH = 20


def without_test_articles(
    ranked: Iterator[RankedList], articles: TestArticles, counts: Counter[str]
) -> Iterator[RankedList]:
    """Yield each ranked list without passages of the articles."""
    blocks = {block for text in articles.texts for block in cut_blocks(text)}
    for one in ranked:
        kept = [
            ctx
            for ctx in one.ctxs
            if ctx.passage.text not in blocks and not articles.hold(ctx.passage.title, ctx.passage.text)
        ]
        counts["passages left out"] += len(one.ctxs) - len(kept)
        yield replace(one, ctxs=tuple(kept[:DEPTH]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", help="search results with text, a file")
    parser.add_argument("--data", type=Path, required=True, help="folder with squad/")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    found = without_test_articles(read_ranked(options.results), TestArticles(options.data), counts)
    print(f"{options.output}: {write_lines(options.output, (one.to_json() for one in found)):,}")
    print(f"passages left out: {counts['passages left out']:,}")


if __name__ == "__main__":
    main()

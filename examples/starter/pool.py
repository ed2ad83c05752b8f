"""Write the passages that recipes are compared on: a tenth of the collection.

    python examples/starter/pool.py --data ../shared/data --spans spans --output pool.tsv

By default takes rows 1 to 21,315 of psgs_main_w100.tsv.gz and every 20th row after them. Adds the gold
paragraphs of the dev questions that spans.py held out, in passages of 100 words. Leaves out the articles of
the SQuAD test: neither training nor the choice of a recipe sees them. Prints the counts.
"""

import argparse
import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from spans import TestArticles

from densecli.files.atomic import new_file
from densecli.records import Passage

COLLECTION = "wiki/psgs_main_w100.tsv.gz"
BLOCK = 100


def cut_blocks(text: str) -> Iterator[str]:
    """Yield the passages of 100 words that a paragraph is cut into."""
    words = text.split()
    for start in range(0, len(words), BLOCK):
        yield " ".join(words[start : start + BLOCK])


def collection_part(path: Path, first_rows: int, every: int) -> Iterator[Passage]:
    """Yield the passages of the first rows, and of every so many after them."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t")
        next(rows)
        for number, (passage_id, text, title) in enumerate(rows, 1):
            if number <= first_rows or (number - first_rows) % every == 0:
                yield Passage(passage_id, title, text)


def gold_blocks(path: Path) -> Iterator[Passage]:
    """Yield the gold paragraphs of dev questions, in blocks."""
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            (passage,) = json.loads(line)["ctxs"]
            for number, block in enumerate(cut_blocks(passage["text"])):
                yield Passage(f"{passage['id']}.{number}", passage["title"], block)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with wiki/ and squad/")
    parser.add_argument("--spans", type=Path, required=True, help="folder that spans.py wrote")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--first-rows", type=int, default=21_315, help="rows to take from the start")
    parser.add_argument("--every", type=int, default=20, help="take every so many rows after them")
    options = parser.parse_args()

    csv.field_size_limit(1 << 24)
    test_articles = TestArticles(options.data)
    test_blocks = {block for text in test_articles.texts for block in cut_blocks(text)}
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with new_file(options.output) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "text", "title"))
        for passage in collection_part(options.data / COLLECTION, options.first_rows, options.every):
            text = " ".join(passage.text.split())
            if text in test_blocks or test_articles.hold(passage.title, text):
                counts["left out: articles of the SQuAD test"] += 1
                continue
            counts["from the collection"] += 1
            seen.add(text)
            writer.writerow((passage.id, passage.text, passage.title))
        for path in sorted(options.spans.glob("dev-*.jsonl")):
            for passage in gold_blocks(path):
                if passage.text not in seen:
                    seen.add(passage.text)
                    counts[f"from {path.name}"] += 1
                    writer.writerow((passage.id, passage.text, passage.title))
    for what, count in counts.items():
        print(f"{what}: {count:,}")


if __name__ == "__main__":
    main()

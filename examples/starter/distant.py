"""Make training examples of search results: the best passages that hold an answer are the positives.

    densecli search questions/*.jsonl --mode hybrid -k 50 -o found.jsonl
    python examples/starter/distant.py found.jsonl --output examples.jsonl

A question without such a passage is dropped. The hard negatives are the best passages that hold no answer.
Prints the counts.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from densecli.files.jsonl import write_lines
from densecli.formats.read_results import read_ranked
from densecli.records import RankedList, TrainingExample
from densecli.text.answers import AnswerMatcher


def examples(
    ranked: Iterator[RankedList], positives: int, negatives: int, counts: Counter[str]
) -> Iterator[TrainingExample]:
    """Yield an example for each question with a passage that holds an answer."""
    for one in ranked:
        matcher = AnswerMatcher(one.question.answers, one.question.answer_type)
        name = one.question.id.split("-")[0]
        passages = [ctx.passage for ctx in one.ctxs]
        holding = [matcher.found_in(passage.text) for passage in passages]
        right = [passage for passage, holds in zip(passages, holding, strict=True) if holds][:positives]
        wrong = [passage for passage, holds in zip(passages, holding, strict=True) if not holds][:negatives]
        counts[f"{name}: {'examples' if right else 'dropped: no passage with an answer'}"] += 1
        if right:
            yield TrainingExample(one.question, tuple(right), tuple(wrong), dataset=name)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", help="search results with text")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--positives", type=int, default=4, help="positives of a question (default 4)")
    parser.add_argument("--negatives", type=int, default=20, help="hard negatives of a question (default 20)")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    found = examples(read_ranked(options.results), options.positives, options.negatives, counts)
    print(f"{options.output}: {write_lines(options.output, (one.to_json() for one in found)):,}")
    for what, count in sorted(counts.items()):
        print(f"{what}: {count:,}")


if __name__ == "__main__":
    main()

"""Add a reader's scores to training examples, for `densecli train --distill`.

    python examples/starter/teach.py examples.jsonl --reader reader --output taught.jsonl

A passage's `teacher_score` is the reader's relevance logit: how sure it is that this of all passages answers
the question. A reader also knows which negatives answer the question after all. Examples keep at most
--negatives hard negatives, the first ones.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from densecli.encoders.onnx_session import OnnxSession
from densecli.files.jsonl import write_lines
from densecli.formats.read_examples import read_examples
from densecli.reader.runtime import Reader
from densecli.records import Context, Passage, TrainingExample

BATCH_TOKENS = 4096


def taught(reader: Reader, question: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Return the passages with their teacher scores; one in which nothing can be read stays as it is."""
    found = []
    for passage in passages:
        # alone: `read` leaves out passages whose best span another passage has, too
        spans = reader.read(question, [passage], 1)
        if not spans:
            found.append(passage)
        elif isinstance(passage, Context):
            found.append(replace(passage, teacher_score=spans[0].passage_score))
        else:
            score = spans[0].passage_score
            found.append(Context(passage.id, passage.title, passage.text, teacher_score=score))
    return tuple(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("examples", help="training examples")
    parser.add_argument("--reader", type=Path, required=True, help="folder of the reader")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--negatives", type=int, default=8, help="hard negatives of a question (default 8)")
    options = parser.parse_args()
    reader = Reader.open(options.reader, OnnxSession, BATCH_TOKENS)

    def with_scores(example: TrainingExample) -> TrainingExample:
        question = example.question.question
        return replace(
            example,
            positives=taught(reader, question, example.positives),
            hard_negatives=taught(reader, question, example.hard_negatives[: options.negatives]),
            negatives=(),
        )

    rows = (with_scores(example).to_json() for example in read_examples(options.examples))
    print(f"{options.output}: {write_lines(options.output, rows):,}")


if __name__ == "__main__":
    main()

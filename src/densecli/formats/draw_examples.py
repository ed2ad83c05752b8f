"""Random training examples of a file, for people to read."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from densecli.files.jsonl import parse_row
from densecli.records import TrainingExample


def draw_examples(path: Path, size: int, seed: int) -> Iterator[TrainingExample]:
    """Yield `size` random examples (or all) of a file, in its order, with one line in memory at a time.

    Args:
        path: JSON lines, as `mine-negatives` writes them.
        size: number of examples.
        seed: the same one draws the same examples.
    """
    with open(path, "rb") as stream:
        total = sum(1 for _ in stream)
        # read twice, so that only the drawn examples are parsed
        chosen = set(Random(f"audit {seed}").sample(range(total), min(size, total)))
        stream.seek(0)
        for number, line in enumerate(stream):
            if number in chosen:
                yield TrainingExample.from_json(parse_row(line), str(number))

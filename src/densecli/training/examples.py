"""Training examples that can be read again in any order without holding their texts in memory."""

import errno
import random
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from densecli.errors import ResourceError
from densecli.io.jsonl import encode_line
from densecli.records import Passage, TrainingExample


@dataclass(frozen=True, slots=True)
class Pick:
    """What one question brings to a batch: its positive and the negatives drawn for it."""

    id: str
    question: str
    positive: Passage
    negatives: tuple[Passage, ...]


class ExampleSpool:
    """Examples in a nameless temporary file with a table of where each begins."""

    def __init__(self, examples: Iterable[TrainingExample], dropped: Counter[str]) -> None:
        """Keep the usable examples; `dropped` counts the others by reason.

        Raises:
            ResourceError: the disk of the temporary folder is full.
        """
        # open for as long as the spool lives
        self._file = tempfile.TemporaryFile(prefix="densecli-examples-")  # noqa: SIM115
        self._starts = array("Q", [0])
        try:
            for example in examples:
                usable = _without_empty(example, dropped)
                if usable is not None:
                    self._starts.append(self._starts[-1] + self._file.write(encode_line(usable.to_json())))
            self._file.flush()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise ResourceError(
                f"{tempfile.gettempdir()}: the disk is full; set TMPDIR to a larger one"
            ) from None

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, row: int) -> TrainingExample:
        start, end = self._starts[row], self._starts[row + 1]
        self._file.seek(start)
        return TrainingExample.from_json(orjson.loads(self._file.read(end - start)), str(row))

    def order(self, seed: int, epoch: int) -> list[int]:
        """Return the rows in the order of an epoch (0-based): a shuffle by seed and epoch alone."""
        rows = list(range(len(self)))
        random.Random(f"order {seed} {epoch}").shuffle(rows)
        return rows

    def draw(self, row: int, negatives: int, seed: int, epoch: int) -> Pick:
        """Return a row's first positive and `negatives` passages drawn from its hard negatives.

        A row without hard negatives draws from its random ones; there may be fewer than asked for.
        The draw depends on seed, epoch and row alone.
        """
        example = self[row]
        pool = example.hard_negatives or example.negatives
        drawn = random.Random(f"negatives {seed} {epoch} {row}").sample(pool, min(negatives, len(pool)))
        return _pick(example, drawn)

    def first(self, row: int, negatives: int) -> Pick:
        """Return a row's first positive and first hard (or else random) negatives, for validation."""
        example = self[row]
        return _pick(example, (example.hard_negatives or example.negatives)[:negatives])


def _pick(example: TrainingExample, negatives: Sequence[Passage]) -> Pick:
    question = example.question
    return Pick(question.id, question.question, example.positives[0], tuple(negatives))


def _without_empty(example: TrainingExample, dropped: Counter[str]) -> TrainingExample | None:
    def kept(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
        full = tuple(passage for passage in passages if passage.text.strip())
        if len(full) < len(passages):
            dropped["passages without text"] += len(passages) - len(full)
        return full

    positives = kept(example.positives)
    if not positives:
        dropped["examples without a positive passage"] += 1
        return None
    return TrainingExample(
        example.question, positives, kept(example.hard_negatives), kept(example.negatives), example.dataset
    )

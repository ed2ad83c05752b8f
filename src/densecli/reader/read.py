"""Ranked lists to predictions (paper, section 6.1)."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from densecli.configs.asking import ReadConfig
from densecli.evaluation.has_answer import mark_answers
from densecli.reader.retrieved import retrieved_passages
from densecli.reader.runtime import Reader
from densecli.records import Passage, Prediction, RankedList


def read(
    ranked: Iterable[RankedList],
    reader: Reader,
    config: ReadConfig,
    counts: Counter[str],
    has_arrived: Callable[[], bool] | None = None,
) -> Iterator[Prediction]:
    """Yield one prediction for each ranked list, in order.

    `has_answer` is set on the passages where the question has answers and search did not set it, so that
    predictions can be evaluated without their text. Nothing to read gives a prediction without an answer,
    counted as `without_passages` or `without_answer`.

    Args:
        ranked: questions with their passages.
        reader: reads the answers.
        config: how much is read, and how many answers are kept.
        counts: filled with what was read.
        has_arrived: returns whether the next ranked list is there without waiting for it.

    Raises:
        InputError: the passages have no text.
    """
    waiting: deque[tuple[RankedList, bool]] = deque()

    def asked() -> Iterator[tuple[str, Sequence[Passage]]]:
        for one in ranked:
            passages = retrieved_passages(one, config.depth)
            counts["questions"] += 1
            counts["passages"] += len(passages)
            counts["without_passages"] += not passages
            waiting.append((one, bool(passages)))
            yield one.question.question, passages

    for spans in reader.read_all(asked(), 1 + config.alternatives, has_arrived):
        one, has_passages = waiting.popleft()
        counts["without_answer"] += has_passages and not spans
        yield Prediction(mark_answers(one, counts), tuple(spans))

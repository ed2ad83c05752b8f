"""Ranked lists to predictions (paper, section 6.1)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from densecli.configs.asking import ReadConfig
from densecli.reader.retrieved import retrieved_passages
from densecli.reader.runtime import Reader
from densecli.records import Prediction, RankedList
from densecli.stages.judged import judged


def read(
    ranked: Iterable[RankedList], reader: Reader, config: ReadConfig, counts: Counter[str]
) -> Iterator[Prediction]:
    """Yield one prediction for each ranked list, in order.

    `has_answer` is set on the passages where the question has answers and search did not set it, so that
    predictions can be evaluated without their text. Nothing to read gives a prediction without an answer,
    counted as `without_passages` or `without_answer`.

    Raises:
        InputError: the passages have no text.
    """
    for one in ranked:
        counts["questions"] += 1
        passages = retrieved_passages(one, config.depth)
        spans = reader.read(one.question.question, passages, 1 + config.alternatives, config.batch_tokens)
        counts["passages"] += len(passages)
        counts["without_passages"] += not passages
        counts["without_answer"] += bool(passages) and not spans
        yield Prediction(judged(one, counts), tuple(spans))

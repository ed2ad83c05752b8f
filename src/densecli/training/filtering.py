"""What is dropped from training examples, and counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import TypeVar

from densecli.counts import format_counts
from densecli.errors import UsageError
from densecli.records import Passage, RankedList, TrainingExample
from densecli.text.same_text import TextSet, text_key

T = TypeVar("T", TrainingExample, RankedList)


def without_questions(records: Iterable[T], known: Set[str], dropped: Counter[str]) -> Iterator[T]:
    """Pass on the records whose question is not among the `known` ones, given by their keys."""
    for record in records:
        if text_key(record.question.question) in known:
            dropped["questions_equal_to_a_test_question"] += 1
        else:
            yield record


def no_examples_error(what: str, dropped: Counter[str]) -> UsageError:
    """Return the error that says of `what` that nothing is left, and why."""
    # + leaves out reasons that were counted zero times
    why = format_counts(+dropped)
    return UsageError(f"{what}: {why}" if why else what)


def usable_part(example: TrainingExample, dropped: Counter[str]) -> TrainingExample | None:
    """Return an example without the passages that teach nothing or the wrong thing, None without a positive.

    Passages are the same when their texts are, but for case, signs and spaces.
    """
    texts = TextSet()
    positives = []
    for passage in _with_text(example.positives, dropped):
        if passage.text in texts:
            dropped["positives_given_twice"] += 1
        else:
            texts.add(passage.text)
            positives.append(passage)
    if not positives:
        dropped["examples_without_positive"] += 1
        return None
    hard, other = (
        tuple(_unlike(texts, given, dropped)) for given in (example.hard_negatives, example.negatives)
    )
    return TrainingExample(example.question, tuple(positives), hard, other, example.dataset)


def _unlike(positives: TextSet, negatives: Iterable[Passage], dropped: Counter[str]) -> Iterator[Passage]:
    for passage in _with_text(negatives, dropped):
        if passage.text in positives:
            dropped["negatives_equal_to_a_positive"] += 1
        else:
            yield passage


def _with_text(passages: Iterable[Passage], dropped: Counter[str]) -> Iterator[Passage]:
    for passage in passages:
        if passage.text.strip():
            yield passage
        else:
            dropped["passages_without_text"] += 1

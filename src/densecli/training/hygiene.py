"""What is left out of training examples, and counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TypeVar

from densecli.counts import listed
from densecli.errors import UsageError
from densecli.records import Passage, RankedList, TrainingExample
from densecli.text.same_question import question_key

T = TypeVar("T", TrainingExample, RankedList)


def without_questions(records: Iterable[T], known: Set[str], dropped: Counter[str]) -> Iterator[T]:
    """Pass on the records whose question is none of the `known` ones, given by their keys."""
    for record in records:
        if question_key(record.question.question) in known:
            dropped["training questions that equal a test question"] += 1
        else:
            yield record


def nothing_left(what: str, dropped: Counter[str]) -> UsageError:
    """Return the error that says of `what` that nothing is left, and why."""
    why = listed(+dropped)
    return UsageError(f"{what}: {why}" if why else what)


def usable_part(example: TrainingExample, dropped: Counter[str]) -> TrainingExample | None:
    """Return an example without the passages that teach nothing or the wrong thing, None without a positive.

    Passages are the same when their texts are, white space aside.
    """
    positives: dict[str, Passage] = {}
    for text, passage in _texts(example.positives, dropped):
        if text in positives:
            dropped["positive passages given twice"] += 1
        else:
            positives[text] = passage
    if not positives:
        dropped["examples without a positive passage"] += 1
        return None
    hard, other = (
        tuple(_unlike(positives, given, dropped)) for given in (example.hard_negatives, example.negatives)
    )
    return TrainingExample(example.question, tuple(positives.values()), hard, other, example.dataset)


def _unlike(
    positives: Mapping[str, Passage], negatives: Iterable[Passage], dropped: Counter[str]
) -> Iterator[Passage]:
    for text, passage in _texts(negatives, dropped):
        if text in positives:
            dropped["negative passages that equal a positive"] += 1
        else:
            yield passage


def _texts(passages: Iterable[Passage], dropped: Counter[str]) -> Iterator[tuple[str, Passage]]:
    for passage in passages:
        text = " ".join(passage.text.split())
        if text:
            yield text, passage
        else:
            dropped["passages without text"] += 1

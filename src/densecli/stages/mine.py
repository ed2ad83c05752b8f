"""Questions with answers to training examples, by distant supervision (paper, section 4.2 and appendix A)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from densecli.batches import batched
from densecli.configs.training import MineConfig
from densecli.io.passages import PassageStore
from densecli.lexical.bm25 import Bm25
from densecli.records import Passage, Question, TrainingExample
from densecli.text.answers import AnswerMatcher

BATCH = 256


def mine(
    questions: Iterable[Question], bm25: Bm25, store: PassageStore, config: MineConfig, counts: Counter[str]
) -> Iterator[TrainingExample]:
    """Yield a training example for each question that has a positive passage, in order.

    The positive is the best-ranked passage that holds an answer, within the first `config.depth` that BM25
    finds for the question; the hard negatives are the best-ranked without an answer, no text twice.
    Questions without a usable answer or without a positive are dropped and counted; examples with fewer
    negatives than asked are kept and counted.
    """
    for batch in batched(questions, BATCH):
        pairs = [(question, AnswerMatcher(question.answers, question.answer_type)) for question in batch]
        asked = [(question, matcher) for question, matcher in pairs if matcher.usable]
        counts["questions"] += len(batch)
        counts["dropped_without_answer"] += len(batch) - len(asked)
        ranked, _ = bm25.search([question.question for question, _ in asked], config.depth)
        for (question, matcher), rows in zip(asked, ranked, strict=True):
            found = (store[row] for row in rows.tolist() if row >= 0)
            positive, negatives = _split(found, matcher, config.hard_negatives)
            if positive is None:
                counts["dropped_without_positive"] += 1
                continue
            counts["examples"] += 1
            counts["with_fewer_negatives"] += len(negatives) < config.hard_negatives
            yield TrainingExample(question, (positive,), tuple(negatives))
        for _, matcher in pairs:
            matcher.count_problems(counts)


def _split(
    ranked: Iterable[Passage], matcher: AnswerMatcher, negatives: int
) -> tuple[Passage | None, Sequence[Passage]]:
    """Return the first passage with an answer and the first `negatives` without, reading no further."""
    positive: Passage | None = None
    others: dict[str, Passage] = {}
    for passage in ranked:
        if matcher.found_in(passage.text):
            positive = positive or passage
        elif len(others) < negatives:
            others.setdefault(passage.text, passage)
        if positive is not None and len(others) == negatives:
            break
    return positive, list(others.values())

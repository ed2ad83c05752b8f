"""Questions with answers to the weight λ of hybrid search (paper, section 5.1)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from densecli.artifacts.passages.store import PassageStore
from densecli.batches import batched
from densecli.records import Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.weight_sweep import KS, WeightSweep, contenders
from densecli.text.answers import AnswerMatcher


def tune(
    questions: Iterable[Question],
    engine: HybridEngine,
    store: PassageStore,
    batch_size: int,
    sweep: WeightSweep,
    counts: Counter[str],
) -> Iterator[Question]:
    """Add each question to `sweep` and yield it. Those without a usable answer are counted and dropped.

    Only passages that some λ brings among the first 20 are looked at for answers.
    """
    for batch in batched(questions, batch_size):
        matchers = [AnswerMatcher(question.answers, question.answer_type) for question in batch]
        both = engine.proposed([question.question for question in batch], max(KS))
        scored = zip(batch, matchers, both.rows, both.words, both.dense, strict=True)
        for question, matcher, rows, words, dense in scored:
            counts["questions"] += 1
            counts["without_answer"] += not matcher.usable
            if matcher.usable:
                places = contenders(rows, words, dense)
                passages = store.take(rows[places].tolist())
                holds = [matcher.found_in(passage.text) for passage in passages]
                sweep.add(rows[places], words[places], dense[places], holds)
            matcher.count_problems(counts)
            yield question

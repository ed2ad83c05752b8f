"""What the reader is trained on: search results sorted into passages with and without an answer."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from densecli.models.tokens import Tokens
from densecli.reader.features import answer_spans, build_features
from densecli.reader.retrieved import retrieved_passages
from densecli.records import Passage, RankedList, TrainingExample
from densecli.text.answers import AnswerMatcher

JOINT_POSITIVES = 5
JOINT_NEGATIVES = 30


@dataclass(frozen=True, slots=True)
class Sample:
    """One question as the reader is trained on it.

    `rows` are the ids of its inputs, the positive passage first. That passage begins at position `offset` of
    the first row; `spans` are the positions (first, last) of its answers. `cut` rows were too long.
    """

    id: str
    rows: list[list[int]]
    offset: int
    spans: list[tuple[int, int]]
    cut: int = 0


def reader_examples(
    ranked: Iterable[RankedList], tokens: Tokens, max_tokens: int, depth: int, counts: Counter[str]
) -> Iterator[TrainingExample]:
    """Yield the questions that can be trained on, with their passages in the order of retrieval.

    Positives are those of the first `depth` passages that hold an answer within the model's length (titles
    are not searched), hard negatives those that hold none. A passage whose answers are all cut off is
    neither. `counts` tells how many questions were dropped, by reason.

    Raises:
        InputError: the passages have no text.
    """
    for one in ranked:
        counts["questions read"] += 1
        question = one.question
        matcher = AnswerMatcher(question.answers, question.answer_type)
        passages = retrieved_passages(one, depth)
        holding = [passage for passage in passages if matcher.found_in(passage.text)]
        positives = [
            passage
            for passage in holding
            if _spans_in(passage, question.question, matcher, tokens, max_tokens)
        ]
        matcher.count_problems(counts)
        if positives:
            held = {id(passage) for passage in holding}
            negatives = tuple(passage for passage in passages if id(passage) not in held)
            yield TrainingExample(question, tuple(positives), negatives)
        elif not matcher.usable:
            counts["questions without answers"] += 1
        elif holding:
            counts["questions whose answers are cut off"] += 1
        else:
            counts["questions whose passages hold no answer"] += 1


def draw(example: TrainingExample, passages: int, seed: int, epoch: int, row: int) -> list[Passage]:
    """Return one positive and at most `passages` - 1 negatives, drawn by seed, epoch and row alone."""
    source = random.Random(f"reader {seed} {epoch} {row}")
    positive = source.choice(example.positives)
    pool = example.hard_negatives
    return [positive, *source.sample(pool, min(passages - 1, len(pool)))]


def foremost(example: TrainingExample, passages: int) -> TrainingExample:
    """Return what joint training draws from: the first 5 positives and 30 negatives (paper, appendix D).

    Where `passages` are more than that, there are negatives for them.
    """
    negatives = max(JOINT_NEGATIVES, passages - 1)
    return replace(
        example,
        positives=example.positives[:JOINT_POSITIVES],
        hard_negatives=example.hard_negatives[:negatives],
    )


def first(example: TrainingExample, passages: int) -> list[Passage]:
    """Return the first positive and the first `passages` - 1 negatives, for validation."""
    return [example.positives[0], *example.hard_negatives[: passages - 1]]


def sample(
    example: TrainingExample, chosen: Sequence[Passage], tokens: Tokens, max_tokens: int, max_spans: int
) -> Sample:
    """Return the inputs of `chosen`, whose first passage is a positive of `example`."""
    question = example.question
    matcher = AnswerMatcher(question.answers, question.answer_type)
    features = build_features(tokens, max_tokens, question.question, chosen)
    spans = answer_spans(features[0], matcher.spans(chosen[0].text), max_spans)
    cut = sum(one.cut for one in features)
    return Sample(question.id, [one.ids for one in features], features[0].offset, spans, cut)


def _spans_in(
    passage: Passage, question: str, matcher: AnswerMatcher, tokens: Tokens, max_tokens: int
) -> list[tuple[int, int]]:
    (features,) = build_features(tokens, max_tokens, question, [passage])
    return answer_spans(features, matcher.spans(passage.text), 1)

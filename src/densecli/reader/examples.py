"""What the reader is trained on: search results sorted into passages with and without an answer."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from densecli.models.tokens import Tokens
from densecli.reader.features import answer_spans, build_features
from densecli.reader.retrieved import retrieved_passages
from densecli.records import Context, Passage, RankedList, TrainingExample
from densecli.text.answers import AnswerMatcher
from densecli.text.same_text import text_key

JOINT_POSITIVES = 5
JOINT_NEGATIVES = 30
MOST_POSITIVES = 20
NEGATIVES_PER_POSITIVE = 10
# The authors' settings have misleading names: their minimum of 150 is the upper bound and their maximum of 50
# the lower one.
NEGATIVES_BETWEEN = 50, 150
"""How many passages the authors' release keeps of a question (preset dpr-nq)."""


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
    ranked: Iterable[RankedList],
    tokens: Tokens,
    max_tokens: int,
    depth: int,
    counts: Counter[str],
    choice: str = "all",
    gold_titles: Mapping[str, str] | None = None,
) -> Iterator[TrainingExample]:
    """Yield the questions that can be trained on, with their passages in the order of retrieval.

    Positives are those of the first `depth` passages that hold an answer within the model's length (titles
    are not searched), hard negatives those that hold none. A passage whose answers are all cut off is
    neither. Where a passage has `answer_spans`, other occurrences of the same words do not count.

    Args:
        ranked: search results.
        tokens: the reader's tokenizer.
        max_tokens: the longest input of the model, in word pieces.
        depth: how many passages are used.
        counts: filled with how many questions were dropped, by reason.
        choice: `all`; or `dpr`, as the authors' release chooses: the positives of the gold page if there are
            any, else at most 20; of the negatives ten for each positive, but at least 50 and at most 150.
        gold_titles: title of the page that answers a question, by the question's `text_key`.

    Raises:
        InputError: the passages have no text.
    """
    for one in ranked:
        counts["questions_read"] += 1
        question = one.question
        matcher = AnswerMatcher(question.answers, question.answer_type)
        passages = retrieved_passages(one, depth)
        holding = [passage for passage in passages if _known_spans(passage) or matcher.found_in(passage.text)]
        positives = [
            passage
            for passage in holding
            if _spans_in(passage, question.question, matcher, tokens, max_tokens)
        ]
        matcher.count_problems(counts)
        if positives:
            held = {id(passage) for passage in holding}
            negatives = [passage for passage in passages if id(passage) not in held]
            if choice == "dpr":
                title = (gold_titles or {}).get(text_key(question.question))
                positives, negatives = choose_as_dpr(positives, negatives, title)
                counts["questions_with_gold_page"] += title is not None and any(
                    _same_title(passage, title) for passage in positives
                )
            yield TrainingExample(question, tuple(positives), tuple(negatives))
        elif not matcher.usable:
            counts["questions_without_answer"] += 1
        elif holding:
            counts["questions_with_answers_cut_off"] += 1
        else:
            counts["questions_without_passage_with_answer"] += 1


def choose_as_dpr(
    positives: list[Passage], negatives: list[Passage], gold_title: str | None
) -> tuple[list[Passage], list[Passage]]:
    """Return the positives and negatives that the authors' release trains on, of all that were found.

    Args:
        positives: passages with an answer, best first.
        negatives: passages without one, best first.
        gold_title: title of the page that is known to answer the question.
    """
    if gold_title is not None:
        # the passages of the gold page are not limited, as in the authors' release
        positives = [one for one in positives if _same_title(one, gold_title)] or positives[:MOST_POSITIVES]
    else:
        positives = positives[:MOST_POSITIVES]
    least, most = NEGATIVES_BETWEEN
    return positives, negatives[: min(max(NEGATIVES_PER_POSITIVE * len(positives), least), most)]


def _same_title(passage: Passage, title: str) -> bool:
    return passage.title.lower() == title.lower()


def draw(example: TrainingExample, passages: int, seed: int, step: int, row: int) -> list[Passage]:
    """Return one positive and at most `passages` - 1 negatives, drawn by seed, update and row alone."""
    # a string: Python hashes it the same in every process, and no sum of seed, update and row meets another
    # one
    source = random.Random(f"reader {seed} {step} {row}")
    positive = source.choice(example.positives)
    pool = example.hard_negatives
    return [positive, *source.sample(pool, min(passages - 1, len(pool)))]


def foremost(example: TrainingExample, passages: int) -> TrainingExample:
    """Return what joint training draws from: the first 5 positives and 30 negatives (paper, appendix D).

    Where `passages` are more than that, there are negatives for them.
    """
    # the paper has 30; a reader that is trained on more passages needs as many
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
    places = _known_spans(chosen[0]) or matcher.spans(chosen[0].text)
    spans = answer_spans(features[0], places, max_spans)
    cut = sum(one.cut for one in features)
    return Sample(question.id, [one.ids for one in features], features[0].offset, spans, cut)


def _spans_in(
    passage: Passage, question: str, matcher: AnswerMatcher, tokens: Tokens, max_tokens: int
) -> list[tuple[int, int]]:
    (features,) = build_features(tokens, max_tokens, question, [passage])
    return answer_spans(features, _known_spans(passage) or matcher.spans(passage.text), 1)


def _known_spans(passage: Passage) -> Sequence[tuple[int, int]]:
    """Return where a passage itself says that its answers are."""
    return (passage.answer_spans or ()) if isinstance(passage, Context) else ()

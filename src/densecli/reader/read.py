"""Ranked lists to predictions (paper, section 6.1)."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from densecli.configs.asking import DEFAULT_DEPTH, ReadConfig
from densecli.evaluation.has_answer import mark_answers
from densecli.reader.retrieved import retrieved_passages
from densecli.reader.runtime import Reader
from densecli.reader.selection import PAPER, Selection, select_answers
from densecli.records import Passage, Prediction, RankedList


def read(
    ranked: Iterable[RankedList],
    reader: Reader,
    config: ReadConfig,
    counts: Counter[str],
    has_arrived: Callable[[], bool] | None = None,
    selection: Selection = PAPER,
    depth: int | None = None,
) -> Iterator[Prediction]:
    """Yield one prediction for each ranked list, in order.

    `has_answer` is set on the passages where the question has answers and search did not set it, so that
    predictions can be evaluated without their text. Nothing to read gives a prediction without an answer,
    counted as `without_passages` or `without_answer`; so does an answer below `selection.min_score`.

    Args:
        ranked: questions with their passages.
        reader: reads the answers.
        config: how much is read, and how many answers are kept.
        counts: filled with what was read.
        has_arrived: returns whether the next ranked list is there without waiting for it.
        selection: how the answer is chosen.
        depth: passages to read per question; by default the config's, else 50.

    Raises:
        InputError: the passages have no text.
    """
    # the reader takes further questions before it finishes one, so their records wait here
    waiting: deque[tuple[RankedList, int]] = deque()
    depth = depth or config.depth or DEFAULT_DEPTH
    spell = reader.spell_pieces if config.decode == "reference" else None

    def asked() -> Iterator[tuple[str, Sequence[Passage]]]:
        for one in ranked:
            passages = retrieved_passages(one, depth)
            counts["questions"] += 1
            counts["passages"] += len(passages)
            counts["without_passages"] += not passages
            waiting.append((one, len(passages)))
            yield one.question.question, passages

    for passages in reader.read_passages(asked(), has_arrived):
        one, count = waiting.popleft()
        counts["passages_cut"] += sum(passage.features.cut for passage in passages)
        # the order counts: a reranker may have left the scores of the search
        scores = sorted((ctx.score for ctx in one.ctxs[:count]), reverse=True)
        spans = select_answers(
            passages, scores, selection, reader.max_answer_tokens, 1 + config.alternatives, spell
        )
        counts["without_answer"] += bool(count) and not spans
        yield Prediction(mark_answers(one, counts), tuple(spans))

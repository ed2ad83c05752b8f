"""The negatives of one question: what may be one, and how many of each source."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from densecli.configs.mining import MineConfig
from densecli.mining.hits import GIVEN, HARD, Hit
from densecli.records import TrainingExample
from densecli.retrieval.passage_cache import AnswerChecker, PassageCache
from densecli.text.same_text import TextSet

SPARE = 4
"""Random passages drawn for each one wanted, since some are refused."""


class Negatives:
    """Picks negatives, and counts the refused candidates by reason."""

    def __init__(self, cache: PassageCache, config: MineConfig) -> None:
        self._cache = cache
        self._config = config
        self._wanted = config.wanted

    def candidates(
        self, number: int, ranked: Mapping[str, Sequence[Hit]], positives: Sequence[int]
    ) -> dict[str, Iterable[Hit]]:
        """Return what each wanted source offers, in order.

        Args:
            number: the number of the question in the input; with the seed it decides the draw.
            ranked: the lists of the sources that rank.
            positives: rows of the positives of other questions.
        """
        # by the number of the question, so that neither resuming nor the number of workers changes the draw
        draw = Random(f"negatives {self._config.seed} {number}")
        drawn = {
            "random": _random_rows(draw, len(self._cache.store), SPARE * self._wanted.get("random", 0)),
            "gold": draw.sample(positives, len(positives) if "gold" in self._wanted else 0),
        }
        return {
            source: ranked[source] if source in HARD else (Hit(row, source) for row in drawn[source])
            for source in self._wanted
        }

    def pick(
        self,
        example: TrainingExample,
        positive: Hit,
        checker: AnswerChecker,
        candidates: Mapping[str, Iterable[Hit]],
        counts: Counter[str],
    ) -> Iterator[Hit]:
        """Yield the first candidates of each source that may be negatives, as many as are wanted.

        One that is the question itself, holds an answer, has a text that the example has already, or scores
        too close to the positive may not.
        """
        texts = self._texts(example, positive)
        asked = TextSet([example.question.question])
        for source, count in self._wanted.items():
            limit = self._limit(positive, candidates[source]) if source in HARD else float("inf")
            kept = 0
            for hit in candidates[source]:
                if kept == count:
                    break
                text = self._cache.at(hit.row).passage.text
                # the positive itself is refused here, too, but is nothing to report
                if hit.score is not None and hit.score > limit:
                    counts["refused_within_margin"] += hit.row != positive.row
                elif text in asked:
                    counts["refused_same_as_question"] += 1
                elif text in texts:
                    counts["refused_same_text"] += hit.row != positive.row
                elif checker.holds(hit.row):
                    counts["refused_with_answer"] += 1
                else:
                    texts.add(text)
                    kept += 1
                    yield hit
            counts[f"{source}_negatives"] += kept
            counts[f"with_fewer_{source}_negatives"] += kept < count

    def _texts(self, example: TrainingExample, positive: Hit) -> TextSet:
        """Return the texts that the example has already."""
        passages = list(example.positives)
        if positive.source != GIVEN:
            passages.append(self._cache.at(positive.row).passage)
        if self._config.keep_negatives:
            passages += [*example.hard_negatives, *example.negatives]
        return TextSet(passage.text for passage in passages)

    def _limit(self, positive: Hit, hits: Iterable[Hit]) -> float:
        """Return the highest score that a negative of a list may have.

        A positive that is not in the list has at most its last score, so that all are too close.
        """
        if self._config.margin is None:
            return float("inf")
        score = next((hit.score for hit in hits if hit.row == positive.row), None)
        # abs, because scores of a dense index may be negative, and the limit must lie below the positive
        return float("-inf") if score is None else score - self._config.margin * abs(score)


def _random_rows(draw: Random, rows: int, most: int) -> Iterator[int]:
    """Yield up to `most` different rows, drawn as they are asked for."""
    if rows <= most:
        yield from draw.sample(range(rows), rows)
        return
    # with replacement and a set: `sample` would make a list of all that may be needed before the first is
    # used
    drawn: set[int] = set()
    while len(drawn) < most:
        row = draw.randrange(rows)
        if row not in drawn:
            drawn.add(row)
            yield row

"""The positive of each question: given, matched to a gold context, or found by distant supervision."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from densecli.configs.mining import MineConfig
from densecli.lexical.bm25 import Bm25
from densecli.mining.gold import CANDIDATES, gold_match, gold_query
from densecli.mining.hits import GIVEN, Hit, merge_hits, ranked_hits
from densecli.records import TrainingExample
from densecli.retrieval.passage_cache import AnswerChecker, PassageCache
from densecli.text.same_text import TextSet

Places = dict[int, Hit]
Lists = dict[int, list[Hit]]


class Positives:
    """Finds the positives of a block's questions, and counts the questions without one by reason."""

    def __init__(self, cache: PassageCache, bm25: Bm25 | None, config: MineConfig) -> None:
        self._cache = cache
        self._bm25 = bm25
        self._config = config

    def find(
        self,
        examples: Sequence[TrainingExample],
        checkers: Sequence[AnswerChecker],
        dense: Lists,
        counts: Counter[str],
    ) -> tuple[Places, Lists]:
        """Return the first positives by place in the block, and BM25's lists for the questions it was asked.

        Args:
            examples: the questions.
            checkers: the checkers of their answers.
            dense: the lists of the index, where it was searched.
            counts: filled with what is dropped.
        """
        ways: dict[str, dict[int, TrainingExample]] = {"keep": {}, "gold": {}, "distant": {}}
        for place, example in enumerate(examples):
            way = self._method(example)
            if way == "distant" and not checkers[place].matcher.usable:
                counts["dropped_without_answer"] += 1
            elif way != "distant" and not example.positives:
                counts["dropped_without_given_positive"] += 1
            else:
                ways[way][place] = example
        kept = {place: self._keep_given(example) for place, example in ways["keep"].items()}
        golden = self._match_gold(ways["gold"], checkers, counts)
        distant, ranked = self._find_distant(ways["distant"], checkers, dense, counts)
        positives = kept | golden | distant
        # the questions of the distant group were searched already
        if "bm25" in self._config.wanted or self._several:
            asked = {place: examples[place].question.question for place in positives if place not in ranked}
            ranked |= self._search(asked, self._config.depth)
        return positives, ranked

    def further(
        self, example: TrainingExample, first: Hit, checker: AnswerChecker, lists: Iterable[Sequence[Hit]]
    ) -> Iterator[Hit]:
        """Yield more positives than the first one, or than all that are given, up to the number asked for.

        They are the best of the merged lists that hold an answer and have a text of their own.
        """
        if not checker.matcher.usable:
            return
        given = example.positives if first.source == GIVEN else (self._cache.at(first.row).passage,)
        texts = TextSet(passage.text for passage in given)
        asked = TextSet([example.question.question])
        for hit in merge_hits(lists) if self._several else ():
            if len(texts) >= self._config.max_positives:
                return
            text = self._cache.at(hit.row).passage.text
            if text not in texts and text not in asked and checker.holds(hit.row):
                texts.add(text)
                yield Hit(hit.row, "distant", hit.score, hit.rank)

    @property
    def _several(self) -> bool:
        return self._config.max_positives > 1

    def _method(self, example: TrainingExample) -> str:
        """Return how the positive of an example is found: keep, gold or distant."""
        if self._config.positives != "auto":
            return self._config.positives
        if not example.positives:
            return "distant"
        return "keep" if self._cache.row_of(example.positives[0]) >= 0 else "gold"

    def _keep_given(self, example: TrainingExample) -> Hit:
        return Hit(self._cache.row_of(example.positives[0]), GIVEN)

    def _match_gold(
        self, examples: Mapping[int, TrainingExample], checkers: Sequence[AnswerChecker], counts: Counter[str]
    ) -> Places:
        golden: Places = {}
        queries = {place: gold_query(one.positives[0], checkers[place]) for place, one in examples.items()}
        for place, hits in self._search(queries, CANDIDATES).items():
            found = gold_match(examples[place].positives[0], hits, checkers[place], self._cache)
            if found is None:
                counts["dropped_without_gold_passage"] += 1
            else:
                golden[place] = found
        return golden

    def _find_distant(
        self,
        examples: Mapping[int, TrainingExample],
        checkers: Sequence[AnswerChecker],
        dense: Lists,
        counts: Counter[str],
    ) -> tuple[Places, Lists]:
        """Return the best passages with an answer, and the lists if they are those of the bare questions."""
        distant: Places = {}
        plain = self._config.distant_query == "question"
        questions = {place: example.question for place, example in examples.items()}
        queries = {
            place: one.question if plain else f"{one.question} {one.answers[0]}"
            for place, one in questions.items()
        }
        ranked = self._search(queries, self._config.depth)
        for place, hits in ranked.items():
            offered = merge_hits([hits, dense.get(place, [])]) if self._several else hits
            asked = TextSet([questions[place].question])
            found = next(
                (
                    hit
                    for hit in offered
                    if checkers[place].holds(hit.row) and self._cache.at(hit.row).passage.text not in asked
                ),
                None,
            )
            if found is None:
                counts["dropped_without_positive"] += 1
            else:
                distant[place] = Hit(found.row, "distant", found.score, found.rank)
        # the list of question plus answer is no source of negatives: it ranks passages by the answer
        return distant, ranked if plain else {}

    def _search(self, queries: Mapping[int, str], depth: int) -> Lists:
        """Return BM25's hits for each query, best first."""
        if not queries:
            return {}
        assert self._bm25 is not None
        rows, scores = self._bm25.search(list(queries.values()), depth)
        ranked = zip(rows, scores, strict=True)
        return {
            place: ranked_hits(*lists, source="bm25") for place, lists in zip(queries, ranked, strict=True)
        }

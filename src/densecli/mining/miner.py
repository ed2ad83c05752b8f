"""Decides for a block of questions: the positive of each, then its negatives."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from densecli.artifacts.passages.store import PassageStore
from densecli.configs.mining import MineConfig
from densecli.lexical.bm25 import Bm25
from densecli.mining.hits import Block, Chosen, Mined, ranked_hits
from densecli.mining.negatives import Negatives
from densecli.mining.positives import Lists, Positives
from densecli.retrieval.passage_cache import AnswerChecker, PassageCache


class Miner:
    """Mines blocks independently of each other, so that any process may take any block."""

    def __init__(self, store: PassageStore, bm25: Bm25 | None, config: MineConfig) -> None:
        """Take a collection; `bm25` may be None where neither positives nor negatives come from it."""
        self._cache = PassageCache(store)
        self._positives = Positives(self._cache, bm25, config)
        self._negatives = Negatives(self._cache, config)

    def mine(self, block: Block) -> Mined:
        """Choose the passages of each question of a block."""
        counts = Counter(questions=len(block.examples))
        checkers = [AnswerChecker(example.question, self._cache) for example in block.examples]
        dense = _dense_lists(block)
        positives, ranked = self._positives.find(block.examples, checkers, dense, counts)
        lists = {"bm25": ranked, "dense": dense}
        pool = {hit.row for hit in positives.values() if hit.row >= 0}
        choices: list[Chosen | None] = [None] * len(block.examples)
        # in the order of the questions: positives are found in three groups, and counts and draws must not
        # depend on them
        for place, positive in sorted(positives.items()):
            offered = self._negatives.candidates(
                block.first + place,
                {source: found.get(place, []) for source, found in lists.items()},
                sorted(pool - {positive.row}),
            )
            example, checker = block.examples[place], checkers[place]
            counts["examples"] += 1
            counts[f"{positive.source}_positives"] += 1
            counts["without_answer_filter"] += not checker.matcher.usable
            negatives = tuple(self._negatives.pick(example, positive, checker, offered, counts))
            found = [of_source.get(place, []) for of_source in lists.values()]
            further = tuple(self._positives.further(example, positive, checker, found))
            counts["further_positives"] += len(further)
            choices[place] = Chosen(positive, negatives, further)
        for checker in checkers:
            checker.matcher.count_problems(counts)
        # + drops the counts that are zero
        return Mined(choices, +counts)


def _dense_lists(block: Block) -> Lists:
    if block.dense is None:
        return {}
    ranked = enumerate(zip(*block.dense, strict=True))
    return {place: ranked_hits(*lists, source="dense") for place, lists in ranked}


# one miner for each worker process: opening the indexes for every block would take longer than mining it
@lru_cache(maxsize=1)
def _open_once(open_miner: Callable[[], Miner]) -> Miner:
    return open_miner()


def mine_block(open_miner: Callable[[], Miner], block: Block) -> Mined:
    """Mine a block in whichever process this is; its miner is opened once."""
    return _open_once(open_miner).mine(block)

"""Passages in memory: each is read and prepared once for the many questions that meet it."""

from functools import lru_cache
from typing import NamedTuple

from densecli.artifacts.passages.store import PassageStore
from densecli.records import Passage, Question
from densecli.text.answers import AnswerMatcher
from densecli.text.prepared import PreparedText
from densecli.text.same_text import TextSet

HELD = 16_384


class CachedPassage(NamedTuple):
    """A passage and its prepared text."""

    passage: Passage
    prepared: PreparedText


class PassageCache:
    """The passages of a store by row; those used last are held, about 3 KB each."""

    def __init__(self, store: PassageStore, held: int = HELD) -> None:
        self.store = store
        # as an attribute: a cached method would keep the object alive, and share its places among all caches
        self.at = lru_cache(maxsize=held)(self._read)

    def _read(self, row: int) -> CachedPassage:
        passage = self.store[row]
        return CachedPassage(passage, PreparedText(passage.text))

    def row_of(self, passage: Passage) -> int:
        """Return the row of a passage that the store has with the same id and the same text, else -1."""
        row = self.store.row_of(passage.id)
        return row if row is not None and passage.text in TextSet([self.at(row).passage.text]) else -1


class AnswerChecker:
    """Says which passages hold an answer to one question; looks into each at most once."""

    def __init__(self, question: Question, cache: PassageCache) -> None:
        self.matcher = AnswerMatcher(question.answers, question.answer_type)
        self._cache = cache
        self._known: dict[int, bool] = {}

    def holds(self, row: int) -> bool:
        """Return whether the passage of a row holds an answer."""
        known = self._known.get(row)
        if known is None:
            known = self._known[row] = self.matcher.found_in(self._cache.at(row).prepared)
        return known

"""Text to terms, after Lucene's analysis of English: what BM25 counts."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from unicodedata import normalize

import Stemmer

# Runs of letters and digits; an apostrophe or full stop holds letters together, a comma or full stop digits.
WORD = r"\w+(?:(?:(?<=[^\W\d])['’.](?=[^\W\d])|(?<=\d)[.,](?=\d))\w+)*"
STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there "
    "these they this to was will with"
)


@dataclass(frozen=True, slots=True)
class Analysis:
    """How text becomes terms; stored with an index and obeyed by every query to it.

    Attributes:
        word: regular expression of a word in lower-cased, composed text.
        stop_words: words that are no terms, separated by spaces.
        stemmer: a Snowball stemmer by name, or an empty string for none.
    """

    word: str = WORD
    stop_words: str = STOP_WORDS
    stemmer: str = "porter"

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Analysis":
        """Build one from its stored form.

        Raises:
            ValueError: a field is missing, unknown, or not text.
        """
        if set(row) != set(cls.__slots__) or not all(isinstance(value, str) for value in row.values()):
            raise ValueError(f"analysis settings {sorted(row)}")
        return cls(**row)

    def to_json(self) -> dict[str, str]:
        """Return the stored form."""
        return asdict(self)


class Analyzer:
    """Applies an analysis. Each spelling is stemmed once and remembered."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._words = re.compile(analysis.word).findall
        self._stem = Stemmer.Stemmer(analysis.stemmer).stemWord if analysis.stemmer else str
        self._terms: dict[str, str] = dict.fromkeys(analysis.stop_words.split(), "")

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in order, repeated as often as they occur."""
        terms = []
        for word in self._words(normalize("NFC", text).lower()):
            term = self._terms.get(word)
            if term is None:
                term = self._terms[word] = self._term(word)
            if term:
                terms.append(term)
        return terms

    def _term(self, word: str) -> str:
        base = word[:-2] if word.endswith(("'s", "’s")) else word
        return self._terms[base] if base in self._terms else str(self._stem(base))

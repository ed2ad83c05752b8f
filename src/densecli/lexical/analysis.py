"""Text to terms, after Lucene's analysis of English: what BM25 counts."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import chain
from typing import Any, Literal
from unicodedata import combining, normalize

from densecli.configs.corpus import IndexConfig
from densecli.lexical.stemming import stemmer

# Vowel signs and accents that belong to the letter before them but are no letters to `\w`.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e"
    "\u0eb1-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3\u200c\u200d"
)
# Runs of letters and digits. An apostrophe or full stop holds them together, a colon letters, a comma or
# semicolon digits (nearly Unicode's word boundaries).
WORD = rf"\w[\w{MARKS}]*(?:(?:(?<=[^\W\d])['’.:](?=[^\W\d])|(?<=\d)[.,;'’](?=\d))[\w{MARKS}]+)*"
WORDS = (WORD,)
"""The expressions of all versions so far."""
# Scripts without spaces between words: each sign is a term, as in Lucene. Compiled when the first word with
# other letters comes, because compiling takes milliseconds of every start.
SIGN = "[\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
PART = f"{SIGN}|[^{SIGN[1:]}+"
STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there "
    "these they this to was will with"
)
POSSESSIVE = ("'s", "’s", "'S", "’S")
FORMS: Mapping[str, Literal["NFC", "NFKC"]] = {"nfc": "NFC", "nfkc": "NFKC", "plain": "NFKC"}
REMEMBERED = 1 << 20  # chunks: some 200 MB


@dataclass(frozen=True, slots=True)
class Analysis:
    """How text becomes terms; stored with an index and obeyed by every query to it.

    Attributes:
        word: regular expression of a word in text without white space.
        stop_words: words that are no terms, separated by spaces.
        stemmer: a Snowball stemmer by name, or an empty string for none.
        lower_case: whether case is dropped.
        unicode: nfc (composed), nfkc (compatible forms too), or plain (also without accents).
    """

    word: str = WORD
    stop_words: str = STOP_WORDS
    stemmer: str = "porter"
    lower_case: bool = True
    unicode: str = "nfc"

    @classmethod
    def from_config(cls, config: IndexConfig) -> "Analysis":
        """Build the one that the options name."""
        named = {"english": STOP_WORDS, "none": ""}
        return cls(
            stop_words=named.get(config.stop_words, config.stop_words),
            stemmer="" if config.stemmer == "none" else config.stemmer,
            lower_case=config.lower_case,
            unicode=config.unicode,
        )

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Analysis":
        """Build one from its stored form.

        Raises:
            ValueError: a field is missing, unknown, or of another type.
        """
        types = {field.name: field.type for field in fields(cls)}
        if set(row) != set(types) or any(type(row[name]) is not kind for name, kind in types.items()):
            raise ValueError(f"analysis settings {', '.join(sorted(row)):.80}")
        if row["word"] not in WORDS:  # no free choice: a hostile expression could take forever
            raise ValueError("its expression of a word is of another version")
        return cls(**row)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return asdict(self)


class Analyzer:
    """Applies an analysis. The terms of each chunk of text between white space are found once and remembered.

    Raises:
        re.error, KeyError: the analysis names no valid expression, stemmer or form.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._words = re.compile(analysis.word).findall
        self._stem = stemmer(analysis.stemmer)
        self._form = FORMS[analysis.unicode]
        self._terms: dict[str, tuple[str, ...]] = {}
        stop_words = chain.from_iterable(map(self._words, self.chunks(analysis.stop_words)))
        self._stop_words = frozenset(map(self._plain, stop_words))

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in order, repeated as often as they occur."""
        return list(chain.from_iterable(map(self.terms_of, self.chunks(text))))

    def chunks(self, text: str) -> list[str]:
        """Return the chunks between white space, in order, normalized as `terms_of` takes them."""
        composed = normalize(self._form, text)
        return (composed.lower() if self.analysis.lower_case else composed).split()

    def terms_of(self, chunk: str) -> tuple[str, ...]:
        """Return the terms of a chunk: mostly one, none of a stop word."""
        terms = self._terms.get(chunk)
        if terms is None:
            if len(self._terms) >= REMEMBERED:
                self._terms.clear()
            words = map(self._plain, self._words(chunk))
            terms = self._terms[chunk] = tuple(term for word in words for term in self._of_word(word))
        return terms

    def _plain(self, word: str) -> str:
        if self.analysis.unicode != "plain" or word.isascii():
            return word
        return normalize("NFC", "".join(sign for sign in normalize("NFKD", word) if not combining(sign)))

    def _of_word(self, word: str) -> list[str]:
        if not word.isascii() and re.search(SIGN, word):
            return re.findall(PART, word)
        base = word[:-2] if word.endswith(POSSESSIVE) else word
        return [] if base in self._stop_words else [self._stem(base)]

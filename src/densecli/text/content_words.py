"""The words of a question that say what it is about."""

import regex

from densecli.text.nfd import nfd
from densecli.text.tokens import tokens

_WORDS = (
    "a an and are as at be by did do does for from had has have how in is it many much of on or that the "
    "their this to was were what when where which who whom whose why will with"
)
PLAIN = frozenset(_WORDS.split())
"""Words that most questions have."""
WORD = regex.compile(r"\w")


def content_words(question: str) -> frozenset[str]:
    """Return the words of a question, lower-cased, without those that most questions have."""
    words = (word for word in tokens(nfd(question)) if WORD.match(word))
    return frozenset(words).difference(PLAIN)


def share_of_words(words: frozenset[str], text: str) -> float:
    """Return the share of `words` that a text has, from 0 to 1; 0 where there are none."""
    return len(words.intersection(tokens(nfd(text)))) / len(words) if words else 0.0

"""Words to stems."""

import re
from collections.abc import Callable

import Stemmer

SYLLABLE = re.compile("[aeiouy][^aeiouy]")


def stemmer(name: str) -> Callable[[str], str]:
    """Return the function that stems a word.

    Args:
        name: one of Snowball's, where `porter` is Porter's as Lucene has it; empty for none.

    Raises:
        KeyError: there is no such stemmer.
    """
    if not name:
        return str
    snowball: Callable[[str], str] = Stemmer.Stemmer(name, 0).stemWord  # no cache: `Analyzer` has one
    if name == "porter":
        return lambda word: _porter(word, snowball)
    return lambda word: snowball(word) or word


def _porter(word: str, snowball: Callable[[str], str]) -> str:
    """Stem with the three departures from the published algorithm that its author's own program has."""
    if len(word) <= 2:
        return word
    stem = snowball(word)
    if stem.endswith("logi") and SYLLABLE.search(stem, 0, len(stem) - 4):  # like technological
        return stem[:-1]
    if stem.endswith("bli") and SYLLABLE.search(stem, 0, len(stem) - 3):  # possibly like possible
        return snowball(stem[:-1] + "e")
    return stem

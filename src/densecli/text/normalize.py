"""Exact match and F1 after SQuAD's normalization."""

import string
from collections import Counter
from collections.abc import Sequence

import regex

from densecli.text.nfd import nfd
from densecli.text.pattern_answers import PatternAnswers

ARTICLES = regex.compile(r"\b(?:a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text: str) -> str:
    """Return `text` lower-cased, without ASCII punctuation and English articles, single-spaced.

    Punctuation leaves no space behind (`twenty-one` becomes `twentyone`); accents and other
    punctuation stay.
    """
    # in this order, as in SQuAD's script and DPR: "a.b" becomes one word before articles are looked for
    plain = text.lower().translate(NO_PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", plain).split())


def exact_match(prediction: str, answers: Sequence[str], answer_type: str = "string") -> bool:
    """Return whether a predicted answer equals any of `answers`.

    Both sides are normalized and in one Unicode form. An answer of which nothing is left, such as "A" or
    "The The", is compared as it is written, case ignored. An empty prediction is wrong. A `regex` answer
    must match the whole prediction, case ignored.
    """
    whole = nfd(prediction.strip())
    # an empty answer in the data would make an empty prediction right
    if not whole:
        return False
    if answer_type == "regex":
        return PatternAnswers([nfd(answer) for answer in answers]).match_whole(whole)
    predicted = _comparable(whole)
    return any(_comparable(nfd(answer)) == predicted for answer in answers)


def f1_score(prediction: str, answers: Sequence[str], answer_type: str = "string") -> float:
    """Return SQuAD's F1: how many words a predicted answer shares with the nearest of `answers`, 0 to 1.

    It is the harmonic mean of precision and recall over normalized words, and 1 where the two match exactly.
    A `regex` answer has no words to share: it counts 1 where it matches the whole prediction, else 0.
    """
    if exact_match(prediction, answers, answer_type):
        return 1.0
    if answer_type == "regex":
        return 0.0
    words = Counter(normalize_answer(nfd(prediction)).split())
    return max(
        (_f1(words, Counter(normalize_answer(nfd(answer)).split())) for answer in answers), default=0.0
    )


def _f1(one: Counter[str], other: Counter[str]) -> float:
    """Return the harmonic mean of precision and recall: twice the common words over all words."""
    common = (one & other).total()
    return 2 * common / (one.total() + other.total()) if common else 0.0


def _comparable(text: str) -> tuple[str, str]:
    """Return a text as it is compared: what normalization leaves of it, else the text itself."""
    left = normalize_answer(text)
    return (left, "") if left else ("", " ".join(text.casefold().split()))

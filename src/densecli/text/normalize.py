"""Exact match after SQuAD's normalisation."""

import string
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
    plain = text.lower().translate(NO_PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", plain).split())


def exact_match(prediction: str, answers: Sequence[str], answer_type: str = "string") -> bool:
    """Return whether a predicted answer equals any of `answers`.

    Both sides are normalised; a `regex` answer must instead match the whole prediction, case ignored.
    """
    if answer_type == "regex":
        whole = nfd(prediction.strip())
        return bool(whole) and PatternAnswers([nfd(answer) for answer in answers]).match_whole(whole)
    predicted = normalize_answer(prediction)
    return any(normalize_answer(answer) == predicted for answer in answers)

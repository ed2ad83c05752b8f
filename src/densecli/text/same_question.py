"""When two questions are the same one."""

import unicodedata

import regex

from densecli.text.normalize import normalize_answer

SIGNS = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def question_key(question: str) -> str:
    """Return what is left of a question without case, punctuation, spaces and English articles.

    Two questions with the same key are the same one.
    """
    plain = unicodedata.normalize("NFKC", question)
    return SIGNS.sub("", normalize_answer(plain)) or plain.casefold().strip()

"""Evaluation as a plain loop, by the rules of DPR: tokens of a passage, compared with those of an answer."""

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import regex

TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")


def evaluate_loop(path: Path, ks: Sequence[int]) -> dict[int, float]:
    """Return top-k accuracy in percent over a file of search results, read line by line."""
    hits = dict.fromkeys(ks, 0)
    questions = 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            questions += 1
            answers = [tokens(answer) for answer in row["answers"]]
            found = [holds(tokens(ctx["text"]), answers) for ctx in row["ctxs"]]
            for k in ks:
                hits[k] += any(found[:k])
    return {k: 100 * count / questions for k, count in hits.items()}


def tokens(text: str) -> list[str]:
    """Return lower-cased tokens."""
    return [token.lower() for token in TOKEN.findall(unicodedata.normalize("NFD", text))]


def holds(text: Sequence[str], answers: Sequence[Sequence[str]]) -> bool:
    """Return whether the tokens of an answer stand one after the other in those of a text."""
    return any(
        list(text[start : start + len(answer)]) == list(answer)
        for answer in answers
        for start in range(len(text) - len(answer) + 1)
    )

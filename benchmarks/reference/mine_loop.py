"""Mining by its definition: each of a question's hundred passages is tokenized and compared by itself.

What `densecli mine-negatives --negatives bm25:N` must agree with, and be faster than.
"""

from collections.abc import Iterable, Iterator
from unicodedata import normalize

import regex

from densecli.artifacts.passages.store import PassageStore
from densecli.lexical.bm25 import Bm25
from densecli.records import Question

TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")


def mine_loop(
    questions: Iterable[Question], bm25: Bm25, store: PassageStore, depth: int, negatives: int
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield `(question id, id of the positive, ids of the negatives)` for each question with a positive."""
    for question in questions:
        rows = bm25.search([question.question], depth)[0][0]
        passages = [store[row] for row in rows.tolist() if row >= 0]
        holding = [has_answer(passage.text, question) for passage in passages]
        if True not in holding:
            continue
        others: dict[str, str] = {}
        for passage, holds in zip(passages, holding, strict=True):
            if not holds:
                others.setdefault(passage.text, passage.id)
        positive = passages[holding.index(True)].id
        yield question.id, positive, list(others.values())[:negatives]


def has_answer(text: str, question: Question) -> bool:
    """Return whether a text holds an answer: as tokens in a row, or where a pattern matches."""
    if question.answer_type == "regex":
        return any(matches(answer, text) for answer in question.answers)
    found = tokens(text)
    for answer in question.answers:
        wanted = tokens(answer)
        windows = (found[start : start + len(wanted)] for start in range(len(found) - len(wanted) + 1))
        if wanted and any(window == wanted for window in windows):
            return True
    return False


def matches(answer: str, text: str) -> bool:
    try:
        pattern = regex.compile(normalize("NFD", answer), regex.IGNORECASE | regex.MULTILINE)
    except regex.error:
        return False
    return bool(pattern.search(normalize("NFD", text)))


def tokens(text: str) -> list[str]:
    return [token.lower() for token in TOKEN.findall(normalize("NFD", text))]

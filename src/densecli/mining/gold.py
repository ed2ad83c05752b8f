"""The passage of the collection that a gold context became (paper, section 4.2: NQ and SQuAD)."""

import re
from collections.abc import Sequence

from densecli.mining.hits import Hit
from densecli.records import Passage
from densecli.retrieval.passage_cache import AnswerChecker, PassageCache
from densecli.text.prepared import PreparedText

CANDIDATES = 10
"""Passages that BM25 proposes for a gold context."""
WINDOW = 40
"""Words of the gold context, around its first answer, that it is searched by."""
RUN = 3
"""Words in a run; overlap is counted in runs."""
LEAST = 0.25
"""Smallest overlap of a match: a paragraph may be cut into blocks, of which one has the answer."""
TITLE = 0.1
"""What the same title adds to the overlap when candidates are compared."""


def gold_query(gold: Passage, checker: AnswerChecker) -> str:
    """Return what BM25 is asked for: the title, and the words around the first answer."""
    words = [match.span() for match in re.finditer(r"\S+", gold.text)]
    answers = checker.matcher.spans(gold.text)
    place = answers[0][0] if answers else 0
    # as many words before the answer as behind it; at the end of the text the window moves to the left
    middle = sum(1 for _, end in words if end <= place)
    first = max(0, min(middle - WINDOW // 2, len(words) - WINDOW))
    window = words[first : first + WINDOW]
    return f"{gold.title} {gold.text[window[0][0] : window[-1][1]] if window else ''}"


def gold_match(
    gold: Passage, candidates: Sequence[Hit], checker: AnswerChecker, cache: PassageCache
) -> Hit | None:
    """Return the candidate with most overlap with the gold context, or None where it has too little.

    Where the gold context holds an answer, its passage must hold one too. The same title decides between
    near equals; exact equals go to the first. The score is the overlap, from 0 to 1.
    """
    prepared = PreparedText(gold.text)
    runs = _runs(prepared)
    must_hold = checker.matcher.found_in(prepared)
    best: tuple[float, Hit] | None = None
    for hit in candidates:
        # a block next to the right one may share more words with the paragraph, but not the answer
        if must_hold and not checker.holds(hit.row):
            continue
        found = cache.at(hit.row)
        shared = overlap(runs, _runs(found.prepared))
        if shared < LEAST:
            continue
        # not part of the score: the title decides only between candidates
        value = shared + TITLE * (found.passage.title.casefold() == gold.title.casefold())
        if best is None or value > best[0]:
            best = value, Hit(hit.row, "gold", shared)
    return best[1] if best else None


def overlap(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    """Return the share of the smaller set that the other one has too: 1 where one text holds the other."""
    # of the smaller set: a gold context may be a paragraph of many blocks, or a sentence of one
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


def _runs(text: PreparedText) -> set[tuple[str, ...]]:
    """Return all runs of words of a text, without punctuation; a shorter text is one run."""
    words = [token for token in text.line.split() if token[0].isalnum()]
    if not words:
        return set()
    return set(zip(*(words[start:] for start in range(min(RUN, len(words)))), strict=False))

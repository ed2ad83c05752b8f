"""From the logits of a question's passages to answers: the last step of reading (paper, section 6.1)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.reader.features import Features
from densecli.records import Passage, Span

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PieceSpan:
    """A span of passage pieces, both ends included; `score` is its start logit plus its end logit."""

    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """A passage as the reader saw it; `start` and `end` hold one logit per passage piece."""

    passage: Passage
    features: Features
    start: FloatArray
    end: FloatArray
    relevance: float


def best_spans(
    start: FloatArray, end: FloatArray, word_starts: IntArray, max_answer_tokens: int
) -> Iterator[PieceSpan]:
    """Yield the spans of one passage, best first, each extended to whole words.

    A candidate (i, j) has i <= j < i + `max_answer_tokens` and the score start[i] + end[j], which orders
    spans as P_start(i) x P_end(j) does. Ties go to the smaller start, then to the shorter span. A candidate
    that contains an earlier span, or lies inside one, is skipped; partial overlap is allowed.

    `start`, `end`, `word_starts` have one entry per passage piece; pieces of one word share their entry in
    `word_starts`, which never decreases (the character offset where the word starts will do).
    """
    pieces = len(start)
    if pieces == 0:
        return
    firsts = np.arange(pieces)[:, None]
    lasts = firsts + np.arange(min(max_answer_tokens, pieces))[None, :]
    inside = lasts < pieces
    # Logits are added and not multiplied as probabilities: within a passage the order is the same (paper,
    # section 6.1).
    scores = np.where(inside, start[firsts] + end[np.minimum(lasts, pieces - 1)], -np.inf)
    while True:
        best = np.unravel_index(np.argmax(scores), scores.shape)
        if scores[best] == -np.inf:
            return
        # a span may end inside a word: it is extended, so an answer may exceed the length asked for, as in
        # DPR
        first = int(np.searchsorted(word_starts, word_starts[firsts[best[0], 0]], side="left"))
        last = int(np.searchsorted(word_starts, word_starts[lasts[best]], side="right")) - 1
        yield PieceSpan(first, last, float(scores[best]))
        nested = ((firsts >= first) & (lasts <= last)) | ((firsts <= first) & (lasts >= last))
        # by the extended span, as the authors' reader does it
        scores[nested] = -np.inf


def answers(
    read: Sequence[ReadPassage],
    max_answer_tokens: int,
    n: int,
    spell: Callable[[ReadPassage, PieceSpan], str] | None = None,
) -> list[Span]:
    """Return at most `n` answers: the first is the best span of the most relevant passage.

    Then come the best spans of the following passages by relevance, the second best span of each passage, and
    so on. An answer that differs from an earlier one only by case and spaces is left out. Passages of equal
    relevance keep their order. The score of an answer is log P_passage + log P_span. `spell` writes the text
    of a span; by default it is copied from the passage.
    """
    logs = relevance_logs(read)
    order = sorted(range(len(read)), key=lambda place: -read[place].relevance)
    sources = [
        (
            read[place],
            logs[place],
            best_spans(
                read[place].start, read[place].end, read[place].features.words[:, 0], max_answer_tokens
            ),
        )
        for place in order
    ]
    found: dict[str, Span] = {}
    while sources and len(found) < n:
        remaining = []
        for one, log, spans in sources:
            piece_span = next(spans, None)
            if piece_span is None:
                continue
            remaining.append((one, log, spans))
            span = replace(in_characters(one, piece_span, spell), score=log + span_log(one, piece_span))
            found.setdefault("".join(span.text.casefold().split()), span)
            if len(found) >= n:
                break
        sources = remaining
    return list(found.values())


def relevance_logs(read: Sequence[ReadPassage]) -> list[float]:
    """Return log P_passage of each passage: its relevance, as a softmax over the passages that were read."""
    relevance = np.array([one.relevance for one in read], dtype=np.float64)
    return (relevance - _log_sum(relevance)).tolist() if len(read) else []


def span_log(read: ReadPassage, span: PieceSpan) -> float:
    """Return log P_start + log P_end of a span, as softmaxes over the pieces of its passage."""
    return span.score - _log_sum(read.start) - _log_sum(read.end)


def _log_sum(logits: NDArray[Any]) -> float:
    highest = float(logits.max())
    return highest + float(np.log(np.exp(logits.astype(np.float64) - highest).sum()))


def in_characters(
    read: ReadPassage, span: PieceSpan, spell: Callable[[ReadPassage, PieceSpan], str] | None = None
) -> Span:
    """Return the span with its place in the passage, and the passage's own characters unless `spell` writes
    the text."""
    start = int(read.features.words[span.first, 0])
    end = int(read.features.words[span.last, 1])
    return Span(
        text=spell(read, span) if spell else read.passage.text[start:end],
        passage_id=read.passage.id,
        title=read.passage.title,
        start=start,
        end=end,
        span_score=span.score,
        passage_score=read.relevance,
    )


def join_pieces(pieces: Sequence[str]) -> str:
    """Return word pieces as text by the rule behind the published exact match.

    Pieces are joined by spaces, and `##` pieces without one. Then the spaces are removed before `. ? ! ,`,
    around an apostrophe between spaces, and before n't, 'm, 's, 've and 're: as in 2020.
    """
    # Written out here, because later versions of the tokenizers clean up otherwise, which changes exact
    # match.
    text = " ".join(pieces).replace(" ##", "").strip()
    for old, new in (
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ):
        text = text.replace(old, new)
    return text

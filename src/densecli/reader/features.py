"""The reader's input for a question and a passage, and the places of its word pieces in the passage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from densecli.models.tokens import Tokens, straight_quotes
from densecli.records import Passage

IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Features:
    """One input of the reader.

    `ids` is [CLS] question [SEP] title [SEP] passage, without a [SEP] at the end, cut to the model's length;
    `offset` is the position of the first passage piece. The other two have one row per passage piece and
    hold character offsets (start, end) into the passage's text: `pieces` of the piece, `words` of the word
    it belongs to. `cut` says whether any of it was too long.
    """

    ids: list[int]
    offset: int
    pieces: IntArray
    words: IntArray
    cut: bool = False


def build_features(
    tokens: Tokens, max_tokens: int, question: str, passages: Sequence[Passage]
) -> list[Features]:
    """Return the inputs of one question with each of `passages`, of at most `max_tokens` pieces.

    Passages are cut first, but keep half of the room; then titles are cut, then the question.
    """
    texts = [straight_quotes(question)]
    texts += [passage.title for passage in passages]
    texts += [passage.text for passage in passages]
    encoded = tokens.tokenizer.encode_batch(texts, add_special_tokens=False)
    asked = encoded[0].ids
    titles, bodies = encoded[1 : len(passages) + 1], encoded[len(passages) + 1 :]
    # [CLS] and two [SEP]; the passage has none at its end, as in DPR
    room = max_tokens - 3
    found = []
    for title, body in zip(titles, bodies, strict=True):
        head_room = room - min(len(body), room // 2)
        question_ids = asked[:head_room]
        title_ids = title.ids[: head_room - len(question_ids)]
        head = [tokens.cls, *question_ids, tokens.sep, *title_ids, tokens.sep]
        kept = min(len(body), max_tokens - len(head))
        pieces = np.asarray(body.offsets, dtype=np.int32).reshape(-1, 2)
        words = _word_places(body, pieces)
        cut = len(head) + kept < 3 + len(asked) + len(title) + len(body)
        found.append(Features(head + body.ids[:kept], len(head), pieces[:kept], words[:kept], cut))
    return found


def _word_places(body: Encoding, pieces: IntArray) -> IntArray:
    """Return for each piece where its word starts and ends, (n, 2)."""
    # tokenizers number words in ascending order, so all pieces of a word are found by bisection
    words = np.asarray(body.word_ids, dtype=np.int32)
    first = np.searchsorted(words, words, side="left")
    last = np.searchsorted(words, words, side="right") - 1
    return np.stack([pieces[first, 0], pieces[last, 1]], axis=1)


def answer_spans(
    features: Features, places: Sequence[tuple[int, int]], max_spans: int
) -> list[tuple[int, int]]:
    """Return where answers stand, as positions in `features.ids`: first and last piece, both included.

    `places` are (start, end) character offsets into the passage's text. An answer that was cut off, in part
    or whole, is left out; equal spans count once, unlike in DPR, whose loss counts them twice; the first
    `max_spans` in the order of the text are kept.
    """
    starts, ends = features.pieces[:, 0], features.pieces[:, 1]
    spans = set()
    for start, end in places:
        # the first piece that ends behind the start, and the last one that starts before the end: an answer
        # inside a word gets the pieces that cover it
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(starts, end, side="left")) - 1
        if first <= last and end <= ends[-1]:
            spans.add((first + features.offset, last + features.offset))
    return sorted(spans)[:max_spans]

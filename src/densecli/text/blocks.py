"""Running text to blocks of words (paper, section 4.1)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

SLAB = 1 << 20
SPACE = re.compile(r"\s")


class Block(NamedTuple):
    """Some words of a text, joined by single spaces.

    Attributes:
        offset: how many words of the text come before its first one.
        words: how many it has.
        text: the words.
    """

    offset: int
    words: int
    text: str


def blocks(text: str, words: int, stride: int | None = None, wrap: bool = False) -> Iterator[Block]:
    """Yield the blocks of `words` whitespace-separated words of a text.

    A text of any length is walked once, with the words of about a million characters in memory at a time; a
    text without words yields nothing.

    Args:
        text: running text.
        words: words in a block.
        stride: words from the beginning of one block to that of the next, at most `words`; fewer make the
            blocks overlap. Disjoint blocks when left out.
        wrap: whether the last block is filled up from the text's beginning. It has what is left otherwise,
            and there is none where the block before has those words already. A text shorter than a block is
            its one block either way: no word is twice in a block, but where the text itself has it so.
    """
    step = stride or words
    held: list[str] = []
    first: list[str] = []
    offset = 0
    for slab in _slabs(text):
        held += slab.split()
        if not offset:
            first = held[:words]
        start = 0
        while len(held) - start >= words:
            yield Block(offset + start, words, " ".join(held[start : start + words]))
            start += step
        del held[:start]
        offset += start
    known = words - step if offset else 0
    if len(held) > known:
        if wrap and offset:
            held += first[: words - len(held)]
        yield Block(offset, len(held), " ".join(held))


def _slabs(text: str) -> Iterator[str]:
    """Yield pieces of a text that end where a word does."""
    start = 0
    while start < len(text):
        space = SPACE.search(text, start + SLAB) if start + SLAB < len(text) else None
        end = space.start() if space else len(text)
        yield text[start:end]
        start = end

"""Running text to blocks of words (paper, section 4.1)."""

import re
from collections.abc import Iterator


def blocks(text: str, words: int) -> Iterator[str]:
    """Yield disjoint blocks of `words` whitespace-separated words, each joined by single spaces.

    The last block keeps what is left and may be shorter. A text of any length is walked once, one block in
    memory at a time; a text without words yields nothing.
    """
    block = re.compile(rf"\S++(?:\s++\S++){{0,{words - 1}}}+")
    for match in block.finditer(text):
        yield " ".join(match.group().split())

"""Running text to blocks of words (paper, section 4.1): many texts at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densecli.corpus.spaces import is_space
from densecli.corpus.unspaced import unspaced_words

SPACE = ord(" ")


class Blocks(NamedTuple):
    """Blocks of some texts, in order.

    Attributes:
        texts: the words of each block, joined by single spaces where their script has spaces.
        owners: which text each is of, (blocks,).
        offsets: how many words of that text come before its first one, (blocks,).
        numbers: which block of that text it is, from 0, (blocks,).
        words: how many words it has, (blocks,).
    """

    texts: list[str]
    owners: NDArray[np.int64]
    offsets: NDArray[np.int64]
    numbers: NDArray[np.int64]
    words: NDArray[np.int64]


class _Words(NamedTuple):
    """The words of some texts.

    Attributes:
        data: them all, each with a space behind it where its script has spaces.
        places: where each begins in `data`, and where the last ends, (words + 1,).
        first: the number of the first word of each text, and the number of all words, (texts + 1,).
    """

    data: bytes
    places: NDArray[np.int64]
    first: NDArray[np.int64]


def blocks(texts: Sequence[str], words: int, stride: int | None = None, wrap: bool = False) -> Blocks:
    """Return the blocks of `words` words of texts; a text without words has none.

    Words are separated by spaces; in scripts without spaces `unspaced_words` finds them.

    In addition to texts and blocks it takes about 10 bytes of memory for each byte of text.

    Args:
        texts: running texts.
        words: words in a block.
        stride: words from the beginning of one block to that of the next, at most `words`; fewer make the
            blocks overlap. Disjoint blocks when left out.
        wrap: whether a text's last block is filled up from its beginning. It has what is left otherwise,
            and there is none where the block before has those words already. A text shorter than a block is
            its one block either way: no word is twice in a block, but where the text itself has it so.
    """
    step = stride or words
    found = _words(texts)
    sizes = np.diff(found.first)
    # one block, and one more for each step until the last word is in a block
    counts = np.where(sizes > 0, 1 + np.maximum(0, -(-(sizes - words) // step)), 0)
    owners = np.repeat(np.arange(len(sizes)), counts)
    numbers = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = found.first[owners] + numbers * step
    end = np.minimum(begin + words, found.first[owners + 1])
    held = end - begin
    cut = [
        found.data[start:stop].decode().removesuffix(" ")
        for start, stop in zip(found.places[begin].tolist(), found.places[end].tolist(), strict=True)
    ]
    if wrap:
        for block in np.flatnonzero((held < words) & (numbers > 0)).tolist():
            first = found.first[owners[block]]
            start, stop = found.places[[first, first + words - held[block]]].tolist()
            cut[block] += " " + found.data[start:stop].decode().removesuffix(" ")
            held[block] = words
    return Blocks(cut, owners, numbers * step, numbers, held)


def _words(texts: Sequence[str]) -> _Words:
    encoded = [text.encode() for text in texts]
    # all texts at once, with a line end behind each: a loop over words would take ten times as long
    data = np.frombuffer(b"\n".join([*encoded, b""]), dtype=np.uint8)
    texts_at = np.cumsum([0, *(len(text) + 1 for text in encoded)])
    space = is_space(data)
    edges = np.flatnonzero(np.append(True, space[:-1]) != space)
    begin, after = edges[::2], edges[1::2]
    keep = ~space
    keep[after] = True
    plain = data[keep]
    places = np.append(0, np.cumsum(after - begin + 1))
    plain[places[1:] - 1] = SPACE
    first = np.searchsorted(begin, texts_at)
    if len(more := unspaced_words(plain, places)):
        every = np.union1d(places, more)
        first, places = np.searchsorted(every, places[first]), every
    return _Words(plain.tobytes(), places, first)

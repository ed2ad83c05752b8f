"""Canonical decomposition that remembers where each character came from."""

from collections.abc import Iterator, Sequence
from unicodedata import combining, is_normalized, normalize

Place = tuple[int, int]


def nfd(text: str) -> str:
    """Return the canonical decomposition of a text."""
    return text if text.isascii() else normalize("NFD", text)


def nfd_places(text: str) -> Sequence[Place] | None:
    """Return for each character of `nfd(text)` the (start, end) in `text` that it came from.

    None when the text is decomposed already, so that no character moves.
    """
    # the usual case, decided without building anything
    if is_normalized("NFD", text):
        return None
    return [place for start, end in _segments(text) for place in _segment_places(text, start, end)]


def _segments(text: str) -> Iterator[Place]:
    """Cut `text` where canonical reordering cannot cross: before characters that start with a base."""
    start = 0
    for place in range(1, len(text)):
        if not combining(nfd(text[place])[0]):
            yield start, place
            start = place
    yield start, len(text)


def _segment_places(text: str, start: int, end: int) -> Iterator[Place]:
    whole = nfd(text[start:end])
    parts = [nfd(character) for character in text[start:end]]
    if "".join(parts) != whole:  # marks were reordered: the segment is the finest place there is
        yield from [(start, end)] * len(whole)
        return
    for place, part in enumerate(parts, start):
        yield from [(place, place + 1)] * len(part)

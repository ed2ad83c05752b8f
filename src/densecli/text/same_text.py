"""When two questions, or two passages, are the same one."""

import string
import unicodedata
from collections.abc import Iterable

import regex

from densecli.text.normalize import normalize_answer

SIGNS = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
# Without the letters of "a", "an" and "the", wherever they are: finding whole words is what makes a key slow.
COMPARED = set((string.ascii_lowercase + string.digits).encode()) - set(b"athen")
IGNORED = bytes(set(range(128)) - COMPARED)
"""ASCII bytes that have no place in a sketch: signs, capitals, and the letters of articles."""
NOT_COMPARED = bytes(set(range(256)) - COMPARED)
ENOUGH = 16
"""Bytes of ASCII that tell most texts apart."""


def text_key(text: str) -> str:
    """Return what is left of a text without case, punctuation, spaces and English articles.

    Two texts with the same key are the same one.
    """
    plain = unicodedata.normalize("NFKC", text)
    # a text of signs or articles alone has no other key
    return SIGNS.sub("", normalize_answer(plain)) or plain.casefold().strip()


def text_sketch(text: str) -> bytes:
    """Return what is left of a text's key without the letters of articles; its ASCII alone if that is enough.

    Texts with the same key have the same sketch; it takes a tenth of the key's time.
    """
    if text.isascii():
        return text.lower().encode().translate(None, IGNORED)
    plain = unicodedata.normalize("NFKC", text).lower()
    short = plain.encode().translate(None, NOT_COMPARED)
    if len(short) >= ENOUGH:
        return short
    # a text in another script, whose letters are bytes from 128 on
    rest: str = SIGNS.sub("", plain)
    return rest.encode().translate(None, IGNORED)


class TextSet:
    """Texts, each held once; two are compared by their keys only where they may be the same."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._held: dict[bytes, list[str]] = {}
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def __contains__(self, text: str) -> bool:
        return self.find(text) is not None

    def find(self, text: str) -> str | None:
        """Return the text that is held and is the same."""
        for held in self._held.get(text_sketch(text), ()):
            if held == text or text_key(held) == text_key(text):
                return held
        return None

    def add(self, text: str) -> str:
        """Hold a text unless the same one is held; return the one that is."""
        found = self.find(text)
        if found is None:
            self._held.setdefault(text_sketch(text), []).append(text)
            return text
        return found

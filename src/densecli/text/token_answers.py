"""Answers as token sequences: DPR's match type `string`."""

from collections.abc import Iterable, Iterator, Sequence

import regex

from densecli.text.nfd import Place

TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")


def tokens(decomposed: str) -> list[str]:
    """Return the lower-cased tokens of a decomposed text.

    A token is a maximal run of letters, numbers and marks, or any other single character that is
    neither a separator nor a control character.
    """
    return [token.lower() for token in TOKEN.findall(decomposed)]


def _fold(text: str) -> str:
    """Lower-case each character by itself.

    `str.lower` looks around itself at one letter only, the Greek sigma; with both small sigmas made one, a
    token that occurs in a text occurs in the folded text too, so `in` can rule an answer out.
    """
    return text.lower().replace("ς", "σ")


class TokenAnswers:
    """Decomposed answers that are found where their tokens stand one after the other."""

    def __init__(self, answers: Iterable[str]) -> None:
        sequences = [tokens(answer) for answer in answers]
        self.sequences = [sequence for sequence in sequences if sequence]
        self.dropped = len(sequences) - len(self.sequences)
        self._longest = [_fold(max(sequence, key=len)) for sequence in self.sequences]

    def __len__(self) -> int:
        return len(self.sequences)

    def found_in(self, decomposed: str) -> bool:
        """Return whether any answer occurs in a decomposed text."""
        possible = self._possible(decomposed)
        if not possible:
            return False
        found = tokens(decomposed)
        return any(any(_occurrences(found, sequence)) for sequence in possible)

    def places(self, decomposed: str) -> list[Place]:
        """Return the (start, end) of every occurrence in a decomposed text."""
        possible = self._possible(decomposed)
        if not possible:
            return []
        matches = list(TOKEN.finditer(decomposed))
        found = [match.group().lower() for match in matches]
        return [
            (matches[first].start(), matches[last].end())
            for sequence in possible
            for first, last in _occurrences(found, sequence)
        ]

    def _possible(self, decomposed: str) -> list[list[str]]:
        folded = _fold(decomposed)
        pairs = zip(self.sequences, self._longest, strict=True)
        return [sequence for sequence, longest in pairs if longest in folded]


def _occurrences(found: Sequence[str], sequence: Sequence[str]) -> Iterator[Place]:
    """Yield the (first, last) token positions, both included, where `sequence` stands in `found`."""
    length = len(sequence)
    for first in range(len(found) - length + 1):
        if found[first] == sequence[0] and found[first : first + length] == sequence:
            yield first, first + length - 1

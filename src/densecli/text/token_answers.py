"""Answers as token sequences: DPR's match type `string`."""

from collections.abc import Iterable, Iterator, Sequence

from densecli.text.nfd import Place
from densecli.text.prepared import PreparedText
from densecli.text.tokens import TOKEN, fold, line, tokens


class TokenAnswers:
    """Decomposed answers that are found where their tokens follow each other.

    Attributes:
        sequences: the tokens of each answer, no sequence twice.
        dropped: answers without a token.
    """

    def __init__(self, answers: Iterable[str]) -> None:
        sequences = [tokens(answer) for answer in answers]
        self.sequences = list({line(sequence): sequence for sequence in sequences if sequence}.values())
        self.dropped = sequences.count([])
        # the longest token is the rarest, and rules out most passages with one search in the text
        self._pairs = [(fold(max(sequence, key=len)), line(sequence)) for sequence in self.sequences]

    def __len__(self) -> int:
        return len(self.sequences)

    def found_in(self, text: PreparedText) -> bool:
        """Return whether any answer occurs in a text."""
        folded = text.folded
        possible = [answer for longest, answer in self._pairs if longest in folded]
        return bool(possible) and any(answer in text.line for answer in possible)

    def places(self, decomposed: str) -> list[Place]:
        """Return the (start, end) of every occurrence in a decomposed text."""
        folded = fold(decomposed)
        pairs = zip(self.sequences, self._pairs, strict=True)
        possible = [sequence for sequence, (longest, _) in pairs if longest in folded]
        if not possible:
            return []
        matches = list(TOKEN.finditer(decomposed))
        found = [match.group().lower() for match in matches]
        return [
            (matches[first].start(), matches[last].end())
            for sequence in possible
            for first, last in _occurrences(found, sequence)
        ]


def _occurrences(found: Sequence[str], sequence: Sequence[str]) -> Iterator[Place]:
    """Yield the (first, last) token positions, both included, where `sequence` occurs in `found`."""
    length = len(sequence)
    for first in range(len(found) - length + 1):
        if found[first] == sequence[0] and found[first : first + length] == sequence:
            yield first, first + length - 1

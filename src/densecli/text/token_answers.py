"""Answers as token sequences: DPR's match type `string`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from densecli.text.nfd import Place
from densecli.text.prepared import PreparedText
from densecli.text.tokens import TOKEN, fold, line, tokens


class _Answer(NamedTuple):
    """One answer in the forms that decide quickly whether a text may hold it.

    Attributes:
        longest: its longest token, which is the rarest.
        folded: all its tokens. Both are folded as the text is.
        line: its tokens with one space around each.
        is_ascii: whether the line in a folded text is the answer for certain: spaces end tokens, and only
            letters beyond ASCII are folded.
    """

    longest: str
    folded: tuple[str, ...]
    line: str
    is_ascii: bool

    @classmethod
    def of(cls, sequence: Sequence[str]) -> "_Answer":
        folded = tuple(map(fold, sequence))
        return cls(max(folded, key=len), folded, line(sequence), all(token.isascii() for token in sequence))


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
        self._answers = [_Answer.of(sequence) for sequence in self.sequences]

    def __len__(self) -> int:
        return len(self.sequences)

    def found_in(self, text: PreparedText) -> bool:
        """Return whether any answer occurs in a text."""
        folded = text.folded
        # most passages are ruled out here, and what is left decides how long a search takes
        possible = [one for one in self._answers if one.longest in folded]
        if not possible:
            return False
        if any(one.line in folded for one in possible if one.is_ascii):
            return True
        possible = [one for one in possible if all(token in folded for token in one.folded)]
        return bool(possible) and any(one.line in text.line for one in possible)

    def places(self, decomposed: str) -> list[Place]:
        """Return the (start, end) of every occurrence in a decomposed text."""
        folded = fold(decomposed)
        pairs = zip(self.sequences, self._answers, strict=True)
        possible = [sequence for sequence, one in pairs if one.longest in folded]
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

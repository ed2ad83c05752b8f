"""Answers as regular expressions: DPR's match type `regex`, each tried within a time bound."""

from collections.abc import Callable, Iterable
from typing import Any

import regex

from densecli.text.nfd import Place

# Patterns of CuratedTREC take far less; one with nested repeats can take forever.
SECONDS = 1.0
# DPR's flags.
FLAGS = regex.IGNORECASE | regex.UNICODE | regex.MULTILINE


def _compile(pattern: str) -> Any | None:
    try:
        return regex.compile(pattern, FLAGS)
    except Exception:  # the compiler fails in many ways (its own error, recursion, overflow): one outcome
        return None


class PatternAnswers:
    """Decomposed answers that are searched as patterns, case ignored, `^` and `$` at line ends.

    A pattern that does not compile never matches and is counted in `invalid`. One that needs more than
    `seconds` for a text is given up for good and counted in `timed_out`.
    """

    def __init__(self, answers: Iterable[str], seconds: float = SECONDS) -> None:
        given = list(answers)
        kept = [answer for answer in given if answer.strip()]
        compiled = [_compile(answer) for answer in kept]
        self._patterns = [pattern for pattern in compiled if pattern is not None]
        self._seconds = seconds
        self.dropped = len(given) - len(kept)
        self.invalid = len(kept) - len(self._patterns)
        self.timed_out = 0

    def __len__(self) -> int:
        return len(self._patterns)

    def found_in(self, decomposed: str) -> bool:
        """Return whether any pattern matches somewhere in a decomposed text."""
        return self._any(lambda pattern: bool(pattern.search(decomposed, timeout=self._seconds)))

    def match_whole(self, decomposed: str) -> bool:
        """Return whether any pattern matches a decomposed text from end to end."""
        return self._any(lambda pattern: bool(pattern.fullmatch(decomposed, timeout=self._seconds)))

    def places(self, decomposed: str) -> list[Place]:
        """Return the (start, end) of every match in a decomposed text; empty matches are left out."""
        found: list[Place] = []

        def collect(pattern: Any) -> bool:
            matches = pattern.finditer(decomposed, timeout=self._seconds)
            found.extend([match.span() for match in matches if match.end() > match.start()])
            return False

        self._any(collect)
        return found

    def _any(self, attempt: Callable[[Any], bool]) -> bool:
        for pattern in list(self._patterns):
            try:
                if attempt(pattern):
                    return True
            # for good: a pattern that is slow on one passage would cost a second on each of the next hundred,
            # too
            except (TimeoutError, MemoryError):
                self._patterns.remove(pattern)
                self.timed_out += 1
        return False

"""The sentence around a place in a text."""

import re

SENTENCE_END = re.compile(
    r"""(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|vs|No))(?<!\bMrs)  # no initial, no abbreviation
    [.!?]["')\]]*\s+(?=["'(\[]?[A-Z0-9])""",
    re.VERBOSE,
)


def sentence_bounds(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentence begins and ends that holds `text[start:end]`, or the sentences that do.

    The spaces behind it are left out.
    """
    breaks = [match.end() for match in SENTENCE_END.finditer(text)]
    first = max([place for place in breaks if place <= start], default=0)
    last = min([place for place in breaks if place >= end], default=len(text))
    return first, first + len(text[first:last].rstrip())

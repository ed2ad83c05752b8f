"""Tables of text, as the functions of the library return them and the command line shows them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table whose first column holds names, and whose other columns hold numbers or short texts.

    Example:
        >>> print(TextTable(["results", "top-1"], [["bm25", "33.3"], ["dense", "8.0"]]))
        results  top-1
        bm25      33.3
        dense      8.0
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Return one line for each row, the first column aligned on the left and the others on the right."""
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = []
        for row in (self.header, *self.rows):
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

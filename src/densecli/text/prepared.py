"""A text prepared once, to be matched with the answers of many questions."""

from densecli.text.nfd import nfd
from densecli.text.tokens import fold, line, tokens


class PreparedText:
    """A text whose forms are made when they are first asked for, each once.

    Attributes:
        decomposed: the text in canonical decomposition.
    """

    __slots__ = ("_folded", "_line", "decomposed")

    def __init__(self, text: str) -> None:
        self.decomposed = nfd(text)
        # not cached_property: until Python 3.12 it has a lock, which shows where many passages are matched
        self._folded: str | None = None
        self._line: str | None = None

    @property
    def folded(self) -> str:
        """The text with each character lower-cased separately: a quick test that rules answers out."""
        if self._folded is None:
            self._folded = fold(self.decomposed)
        return self._folded

    @property
    def line(self) -> str:
        """Its tokens with one space around each; an answer occurs where its own line does."""
        if self._line is None:
            self._line = line(tokens(self.decomposed))
        return self._line

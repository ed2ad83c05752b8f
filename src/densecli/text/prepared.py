"""A text prepared once, to be matched with the answers of many questions."""

from functools import cached_property

from densecli.text.nfd import nfd
from densecli.text.tokens import fold, line, tokens


class PreparedText:
    """A text whose forms are made when they are first asked for, each once.

    Attributes:
        decomposed: the text in canonical decomposition.
    """

    def __init__(self, text: str) -> None:
        self.decomposed = nfd(text)

    @cached_property
    def folded(self) -> str:
        """The text with each character lower-cased separately: a quick test that rules answers out."""
        return fold(self.decomposed)

    @cached_property
    def line(self) -> str:
        """Its tokens with one space around each; an answer occurs where its own line does."""
        return line(tokens(self.decomposed))

"""The passages of a search result that are read."""

from densecli.errors import FieldError, InputError
from densecli.records import Passage, RankedList

TEXTS = "results that `densecli search` wrote without `text=False`"


def retrieved_passages(ranked: RankedList, depth: int) -> list[Passage]:
    """Return the first `depth` passages of a search result, best first.

    Raises:
        InputError: passages were found, but none of them has text.
    """
    try:
        check_texts(ranked, depth)
    except FieldError as error:
        raise InputError("search results", None, error.what, error.expected) from None
    return [ctx.passage for ctx in ranked.ctxs[:depth]]


def check_texts(ranked: RankedList, depth: int, expected: str = TEXTS) -> None:
    """Refuse a search result whose first `depth` passages have no text; `expected` is for the message.

    Raises:
        FieldError: passages were found, but none of them has text.
    """
    passages = ranked.ctxs[:depth]
    if passages and not any(ctx.passage.text for ctx in passages):
        asked = ranked.question
        what = f"question {asked.id or asked.question!r}: its passages have no text"
        raise FieldError(what, expected, code="no_text")

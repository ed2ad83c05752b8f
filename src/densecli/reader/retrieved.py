"""The passages of a search result that are read."""

from densecli.errors import InputError
from densecli.records import Passage, RankedList


def retrieved_passages(ranked: RankedList, depth: int) -> list[Passage]:
    """Return the first `depth` passages of a search result, best first.

    Raises:
        InputError: passages were found, but none of them has text.
    """
    passages = [ctx.passage for ctx in ranked.ctxs[:depth]]
    if passages and not any(passage.text for passage in passages):
        asked = ranked.question
        raise InputError(
            "search results",
            None,
            f"question {asked.id or asked.question!r}: its passages have no text",
            "results that `densecli search` wrote without --no-text",
        )
    return passages

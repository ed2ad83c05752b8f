"""One id, one text: checked where passages are written under their ids."""

from collections.abc import Iterable

from densecli.errors import FieldError
from densecli.records import Passage
from densecli.text.same_text import text_key


class Identities:
    """The passages met so far; about 200 bytes for each."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[int, int]] = {}

    def check(self, passages: Iterable[Passage]) -> None:
        """Take passages; those without a text say nothing.

        Raises:
            FieldError: one has the id of an earlier one, and another text (but for case, signs and spaces).
        """
        for passage in passages:
            if not passage.text:
                continue
            # hashes and not texts: those of 21 million passages take 13 GB. Two texts with one hash would
            # only pass unnoticed.
            exact = hash(passage.text)
            known = self._texts.get(passage.id)
            if known is None:
                self._texts[passage.id] = exact, hash(text_key(passage.text))
            elif exact != known[0] and hash(text_key(passage.text)) != known[1]:
                what = f"passage id {passage.id!r} has another text than before"
                raise FieldError(what, "one text for each id", code="two_texts")

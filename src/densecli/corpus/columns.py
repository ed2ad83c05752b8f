"""Which fields of a row are its id, title and text; an article or a passage from them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from densecli.errors import FieldError
from densecli.fields import Json, id_field, text_field
from densecli.records import Article, Passage

IDS = ("id", "_id", "docid", "passage_id", "psg_id")
TEXTS = ("text", "contents", "body")
WHOLE_IDS = {"_id", "docid", "passage_id", "psg_id"}
"""What BEIR, Tevatron and DPR call the id of something that is retrieved whole."""
TEXT_HINT = "`text_column` names another"
NUMBERS = "`make_ids` numbers the records"
HINT = f"`id_column` names another, {NUMBERS}"


@dataclass(frozen=True, slots=True)
class Columns:
    """The names to look for; the first that a row has wins.

    Attributes:
        ids: names of the id. A row whose id has a name of WHOLE_IDS is a passage already
            and not an article, unless that name is the only one to look for.
        title: name of the title, which may be missing.
        texts: names of the text.
        make_ids: whether a missing id is left empty, for the stage to fill in.
        whole: whether every row is a passage.
        title_named: whether the user named the title, so that a table must have it.
        id_hint: what helps where a row has no id.
        text_hint: what helps where a row has no text.
    """

    ids: tuple[str, ...] = IDS
    title: str = "title"
    texts: tuple[str, ...] = TEXTS
    make_ids: bool = False
    whole: bool = False
    title_named: bool = False
    id_hint: str = HINT
    text_hint: str = TEXT_HINT

    def among(self, header: Collection[str]) -> "Columns":
        """Return the columns that a table has.

        Raises:
            FieldError: it has no id, no text, or not what the user named.
        """
        ids = tuple(name for name in self.ids if name in header)
        texts = tuple(name for name in self.texts if name in header)
        missing = [
            option
            for option, there in (
                ("`id_column`", ids or self.make_ids),
                ("`text_column`", texts),
                ("`title_column`", self.title in header or not self.title_named),
            )
            if not there
        ]
        if missing:
            numbers = f"; {NUMBERS}" if self.ids == IDS and not (ids or self.make_ids) else ""
            raise FieldError(
                f"the header is {', '.join(header)[:80]!r}",
                f"id, title and text, or {' and '.join(missing)}{numbers}",
                code="wrong_value",
            )
        whole = self.whole or (self.ids == IDS and bool(ids) and ids[0] in WHOLE_IDS)
        return replace(self, ids=ids or self.ids[:1], texts=texts, whole=whole)


def record_of(columns: Columns, row: Json) -> Article | Passage:
    """Build the record of one row.

    Raises:
        FieldError: no id, no text, or one that is not text.
    """
    name = _first(columns.ids, row)
    title = text_field(row, columns.title, "")
    text_name = _first(columns.texts, row)
    if text_name not in row:
        expected = f"an object with {text_name!r}{_in_brackets(columns.text_hint)}"
        raise FieldError(f"no field {text_name!r}", expected, code="missing_field")
    text = text_field(row, text_name)
    whole = columns.whole or (columns.ids == IDS and name in WHOLE_IDS)
    return (Passage if whole else Article)(_id(columns, row, name), title, text)


def parse_values(columns: Columns, names: tuple[str, ...], values: tuple[Any, ...]) -> Article | Passage:
    """Return the record in one row, given as values.

    Raises:
        FieldError: no id, no text, or one that is not text.
    """
    return record_of(columns, dict(zip(names, values, strict=True)))


def _in_brackets(hint: str) -> str:
    return f" ({hint})" if hint else ""


def _first(names: tuple[str, ...], row: Json) -> str:
    for name in names:
        if row.get(name) is not None:
            return name
    return names[0]


def _id(columns: Columns, row: Json, name: str) -> str:
    if row.get(name) in (None, ""):
        if columns.make_ids:
            return ""
        lack = f"{name!r} is empty" if name in row else f"no field {name!r}"
        expected = f"an object with {name!r}{_in_brackets(columns.id_hint)}"
        raise FieldError(lack, expected, code="missing_field")
    return id_field(row, name)

"""A corpus of records in memory."""

from collections.abc import Iterable
from functools import partial

from densecli.corpus.source import Source
from densecli.errors import FieldError
from densecli.fields import id_field, text_field
from densecli.records import Article, Passage

NAME = "records in memory"


def memory_source(records: Iterable[Article | Passage], make_ids: bool) -> Source:
    """Open records in memory; their places are their numbers from 1."""
    return Source(NAME, enumerate(records, 1), partial(check_record, make_ids), _size)


def check_record(make_ids: bool, record: Article | Passage) -> Article | Passage:
    """Return a record as a file would have given it.

    Raises:
        FieldError: its title or text cannot be stored, or it has no id and `make_ids` is off.
    """
    row = {"id": record.id, "title": record.title, "text": record.text}
    if record.id == "" and not make_ids:
        raise FieldError(
            "'id' is empty", "an id (or make_ids, which numbers the records)", code="empty_field"
        )
    kind = Passage if isinstance(record, Passage) else Article
    return kind(id_field(row, "id"), text_field(row, "title", ""), text_field(row, "text"))


def _size(record: Article | Passage) -> int:
    return len(record.title) + len(record.text)

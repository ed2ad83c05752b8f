"""KILT's knowledge source: Wikipedia as JSON lines, with a list of paragraphs for each article."""

from densecli.corpus.source import Dropped, Parsed, Source, line_source
from densecli.fields import id_field, text_field, texts_field
from densecli.files.jsonl import parse_row
from densecli.files.line_blocks import read_slabs
from densecli.records import Article

SECTION = "Section::::"
ITEM = "BULLET::::-"


def kilt_source(path: str) -> Source:
    """Open KILT's knowledge source."""
    return line_source(path, read_slabs(path), parse_article)


def parse_article(line: bytes) -> Parsed:
    """Return the prose of an article: without its title, the headings of its sections, and marks of items.

    Raises:
        FieldError: broken JSON, no id, or a text that is no list of paragraphs.
    """
    row = parse_row(line)
    title = text_field(row, "wikipedia_title")
    paragraphs = [one.strip() for one in texts_field(row, "text")]
    if paragraphs and paragraphs[0] == title:
        del paragraphs[0]
    kept = [one.removeprefix(ITEM).strip() for one in paragraphs if not one.startswith(SECTION)]
    text = "\n".join(filter(None, kept))
    return Article(id_field(row, "_id", "wikipedia_id"), title, text) if text else Dropped("without_text")

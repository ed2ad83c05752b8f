"""Questions with ids in plain text: TREC topics, and queries in two columns."""

import re
from collections.abc import Iterator
from html import unescape

from densecli.errors import FieldError
from densecli.files.utf8 import decode_utf8
from densecli.formats.documents import Document
from densecli.records import Question

BEGIN = re.compile(rb"\s*<top(?:ics?)?\b", re.IGNORECASE)
OPEN = re.compile(r"<top(?:ic)?\b", re.IGNORECASE)
CLOSE = re.compile(r"</top(?:ic)?\s*>", re.IGNORECASE)
NUMBERS = [
    re.compile(r"<num>\s*(?:Number:)?\s*([^\s<]+)", re.IGNORECASE),
    re.compile(r"<top(?:ic)?\s[^>]*?(?:number|id)\s*=\s*[\"']?([^\s\"'>]+)", re.IGNORECASE),
]
TEXTS = [
    re.compile(rf"<{name}>\s*(?:{word}:)?([^<]*)", re.IGNORECASE)
    for name, word in (("title", "Topic"), ("question", ""), ("query", ""), ("desc", "Description"))
]
# Characters of a topic: a missing </top> must not collect the whole file.
LONGEST = 1 << 20
HEADERS = {"id", "_id", "qid", "query_id", "query-id", "question_id"}, {"query", "question", "text"}


def is_topics(document: Document) -> bool:
    """Whether a file begins as TREC's topics do."""
    return BEGIN.match(document.first) is not None


def read_topics(document: Document) -> Iterator[Question]:
    """Yield the question of each topic: its title, or where it has none the question, query or description.

    Raises:
        InputError: a topic has no number or no text, or is not closed.
    """
    held: list[str] = []
    begun, size, refused = 0, 0, False
    for number, line in document.lines():
        try:
            # a line can end one topic and begin another
            *ends, rest = CLOSE.split(decode_utf8(line))
            for part in ends:
                topic, held = "\n".join([*held, part]), []
                if refused and not OPEN.search(topic):
                    refused = False  # the end of a topic that was refused
                else:
                    yield _question(topic)
            if not held and not OPEN.search(rest):
                continue  # between topics
            if not held:
                begun, size = number, 0
            held.append(rest)
            size += len(rest)
            if size > LONGEST or len(OPEN.findall(rest)) + (len(held) > 1) > 1:
                refused = True
                raise FieldError("a topic is not closed", "</top>", code="broken_file")
        except FieldError as error:
            held = []
            document.refuse(error, begun or number)
    if held:
        document.refuse(FieldError("a topic is not closed", "</top>", code="broken_file"), begun)


def _question(topic: str) -> Question:
    number = next((found[1] for form in NUMBERS if (found := form.search(topic))), None)
    if number is None:
        raise FieldError("a topic without a number", "<num> and an id", code="missing_field")
    texts = (" ".join(unescape(found[1]).split()) for form in TEXTS if (found := form.search(topic)))
    return Question.from_json({"question": next(filter(None, texts), "")}, number)


def is_queries(document: Document) -> bool:
    """Whether a file begins with an id and a question, with a tab between: MS MARCO's `queries.tsv`.

    A first column that may be a question itself, with a space or before a single word, leaves it open.
    """
    columns = document.first.decode(errors="replace").split("\t")
    if len(columns) != 2 or not all(map(str.strip, columns)) or columns[1].lstrip('" ').startswith("["):
        return False
    if columns[0].isdigit() or _is_header(columns):
        return True
    return " " not in columns[0] and " " in columns[1].strip() and columns[1].strip()[0] not in "{('\""


def _is_header(columns: list[str]) -> bool:
    return all(name.strip().lower() in names for name, names in zip(columns, HEADERS, strict=True))


def read_queries(document: Document) -> Iterator[Question]:
    """Yield the questions of lines of an id and a question; there is no quoting in such files.

    Raises:
        InputError: a line has no tab or more than one, or is not UTF-8.
    """
    begin = document.line
    for number, line in document.lines():
        try:
            columns = decode_utf8(line).split("\t")
            if len(columns) != 2:
                raise FieldError(
                    f"another number of columns ({len(columns)})",
                    "an id, a tab and a question",
                    code="wrong_number_of_columns",
                )
            if number == begin and _is_header(columns):
                continue
            found = Question.from_json({"id": columns[0].strip(), "question": columns[1]}, str(number))
        except FieldError as error:
            document.refuse(error, number)
        else:
            yield found

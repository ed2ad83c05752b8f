"""DPR's `*.qa.csv`: a question and a Python list of its answers, with a tab between."""

import ast
import csv
import re
import sys
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import pairwise

from densecli.errors import FieldError
from densecli.files.quoted_rows import UNCLOSED, is_whole, quoted_rows
from densecli.files.utf8 import EncodingError, decode_utf8
from densecli.formats.documents import Document
from densecli.records import Question

# A cheap test first: parsing every list into tokens would take most of the time.
ADJACENT = re.compile(r"""['"]\s*[rRuU]?['"]""")
"""Quotes with no comma between: two texts, or an empty one."""


class _CommaError(FieldError):
    """A list without commas, as numpy prints one: Python joins its texts to one."""


def read_table(document: Document) -> Iterator[Question]:
    """Yield the questions; the id is the number of the line on which a question ends.

    A question may hold line ends within quotes. Where one of its lines ends in a list of answers before the
    quote is closed, that was opened by mistake: such lines are rows of their own.

    Raises:
        InputError: a row without a list of answers, or text that is not UTF-8.
    """
    for number, row in quoted_rows(document.raw_lines(), "\t", _is_sound):
        # the line that csv readers count, so that ids agree with those of other programs
        last = number + row.rstrip(b"\n").count(b"\n")
        try:
            question = _question(_fields(row), str(last))
        except FieldError as error:
            document.refuse(error, number)
        else:
            yield question


def _is_sound(row: bytes) -> bool:
    """Whether several lines are one question: no list of answers ends before the last of them."""
    if any(_is_listed(line) for line in row.rstrip(b"\n").split(b"\n")[:-1]):
        return False
    try:
        _question(_fields(row), "")
    except (EncodingError, _CommaError):  # rather than the quote that is open on its first line
        return True
    except FieldError:
        return False
    return True


def _is_listed(line: bytes) -> bool:
    _, tab, last = line.rpartition(b"\t")
    last = last.strip(b'" \r')
    return bool(tab) and last.startswith(b"[") and last.endswith(b"]")


def _fields(row: bytes) -> list[str]:
    text = decode_utf8(row)
    if not is_whole(row, "\t"):
        raise FieldError(UNCLOSED, "quotes as csv has them", code="broken_table")
    csv.field_size_limit(sys.maxsize)
    try:
        return next(csv.reader([text], delimiter="\t"))
    except csv.Error as error:
        raise FieldError(
            f"not a table ({error})", "tabs, and quotes as csv has them", code="broken_table"
        ) from None


def _question(row: list[str], number: str) -> Question:
    if len(row) < 2:
        raise FieldError(
            "no list of answers", "a question and a list of answers, separated by a tab", code="missing_field"
        )
    return Question.from_json({"question": row[0], "answers": _literal(row[1])}, number)


def _literal(text: str) -> object:
    """Return the Python literal in `text` without evaluating anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # regex answers hold backslashes that Python would comment on
        try:
            # the authors' code evaluates it, which would run whatever a file says
            found: object = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise FieldError(
                f"no list of answers: {text!r:.40}",
                "a list such as ['London', 'Paris']",
                code="missing_field",
            ) from None
    if ADJACENT.search(text) and _is_joined(text):
        raise _CommaError(
            f"a list without commas: {text!r:.40}",
            "a list such as ['London', 'Paris'] (numpy prints no commas; its tolist() gives a list)",
        )
    return found


def _is_joined(text: str) -> bool:
    """Whether two texts of a valid literal have nothing between them."""
    parts = tokenize.generate_tokens(StringIO(text.strip()).readline)
    kinds = [part.type for part in parts if part.type not in (tokenize.NL, tokenize.COMMENT)]
    return any(one == other == tokenize.STRING for one, other in pairwise(kinds))


def write_table(questions: Iterable[Question]) -> Iterator[bytes]:
    """Yield the lines of a `*.qa.csv`; ids and answer types have no place in it.

    Reading a file that DPR published and writing it gives the same bytes.
    """
    line = StringIO(newline="")
    writer = csv.writer(line, delimiter="\t")
    for question in questions:
        writer.writerow([question.question, list(question.answers)])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()

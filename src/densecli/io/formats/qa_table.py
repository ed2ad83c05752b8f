"""DPR's `*.qa.csv`: a question and a Python list of its answers, with a tab between."""

import ast
import csv
import sys
import warnings
from collections.abc import Iterable, Iterator
from io import StringIO

from densecli.errors import FieldError
from densecli.io.formats.documents import Document, Line
from densecli.records import Question


def read_table(document: Document) -> Iterator[Question]:
    """Yield the questions; the id is the number of the line on which a question ends.

    Raises:
        InputError: a row without a list of answers, or text that is not UTF-8.
    """
    csv.field_size_limit(sys.maxsize)
    reached = 0

    def texts(lines: Iterable[Line]) -> Iterator[str]:
        nonlocal reached
        for number, line in lines:
            reached = number
            yield line.decode(errors="surrogateescape")  # the reader could not go on after an error here

    rows = csv.reader(texts(document.raw_lines()), delimiter="\t")
    while True:
        try:
            row = next(rows)
            if not any(field.strip() for field in row):
                continue
            question = _question(row, str(reached))
        except StopIteration:
            return
        except csv.Error as error:
            told = FieldError(f"not a table ({error})", "tabs, and quotes as csv has them")
            document.refuse(told, reached)
        except FieldError as error:
            document.refuse(error, reached)
        else:
            yield question


def decode(line: bytes) -> str:
    """Return a line as text.

    Raises:
        FieldError: it is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise FieldError("not UTF-8", "UTF-8 text") from None


def _question(row: list[str], number: str) -> Question:
    decode("".join(row).encode(errors="surrogateescape"))
    if len(row) < 2:
        raise FieldError(f"{len(row)} field", "a question and a list of answers, separated by a tab")
    return Question.from_json({"question": row[0], "answers": _literal(row[1])}, number)


def _literal(text: str) -> object:
    """Return the Python literal in `text` without evaluating anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # regex answers hold backslashes that Python would comment on
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise FieldError(
                f"no list of answers: {text!r:.40}", "a list such as ['London', 'Paris']"
            ) from None


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

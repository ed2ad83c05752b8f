"""Questions from JSONL, DPR's `*.qa.csv`, or plain lines."""

import ast
import csv
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from densecli.errors import FieldError, InputError
from densecli.io.jsonl import STDIN, parse_row, read_lines
from densecli.records import Question

T = TypeVar("T")
Line = tuple[int, bytes]
TABLE_ENDINGS = (".csv", ".tsv")


def read_questions(path: str, answer_type: str | None = None) -> Iterator[Question]:
    """Yield the questions of a file; ids are line numbers where the file has none.

    The first line decides: an object is JSONL `{"question", "answers" | "answer", "id"?, "answer_type"?}`, a
    tab before a list is DPR's `*.qa.csv`; else, on stdin or in a .txt file, each line is a question.

    Args:
        path: a file, `-` for stdin; .gz is decompressed.
        answer_type: `string` or `regex`, in place of what the file says (or does not say).

    Raises:
        InputError: `file:line: what; expected`, for the first question that cannot be used.
    """
    lines = read_lines(path)
    first = next(lines)
    lines = chain([first], lines)
    form = _form(path, first[1])
    if form == "jsonl":
        questions = _each(path, lines, lambda line, number: Question.from_json(parse_row(line), number))
    elif form == "table":
        questions = _each(path, _table_rows(path, lines), _from_table)
    else:
        questions = _each(path, lines, _from_plain)
    for question in questions:
        yield question if answer_type is None else replace(question, answer_type=answer_type)


def _form(path: str, line: bytes) -> str:
    """Tell `jsonl`, `table` or `plain` by a file's first line.

    Raises:
        InputError: it is none of them.
    """
    name = path.removesuffix(".gz")
    _, tab, last = line.rpartition(b"\t")
    if line.lstrip().startswith(b"{"):
        return "jsonl"
    if (tab and last.lstrip(b'" ').startswith(b"[")) or name.endswith(TABLE_ENDINGS):
        return "table"
    if path == STDIN or name.endswith(".txt"):
        return "plain"
    expected = "JSON objects with 'question', or questions and lists of answers separated by tabs"
    raise InputError(path, 1, f"no questions: {line[:40].decode(errors='replace')!r}", expected)


def _each(
    path: str, rows: Iterable[tuple[int, T]], parse: Callable[[T, str], Question]
) -> Iterator[Question]:
    name = "stdin" if path == STDIN else path
    for number, row in rows:
        try:
            yield parse(row, str(number))
        except FieldError as error:
            raise InputError(name, number, error.what, error.expected) from None


def _table_rows(path: str, lines: Iterable[Line]) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row with the line it ends on; a quoted field may hold line ends."""
    csv.field_size_limit(sys.maxsize)
    reached = 0

    def texts() -> Iterator[str]:
        nonlocal reached
        for number, line in lines:
            reached = number
            yield _decode(line) + "\n"

    rows = csv.reader(texts(), delimiter="\t")
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, FieldError) as error:
            raise InputError("stdin" if path == STDIN else path, reached, str(error)) from None
        yield reached, row


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise FieldError("not UTF-8", "UTF-8 text") from None


def _from_table(row: list[str], number: str) -> Question:
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
            raise FieldError(f"answers {text!r:.40}", "a list such as ['London', 'Paris']") from None


def _from_plain(line: bytes, number: str) -> Question:
    return Question.from_json({"question": _decode(line)}, number)

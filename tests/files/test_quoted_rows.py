import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from densecli.files import quoted_rows as module
from densecli.files.quoted_rows import is_whole, quoted_rows

TEXT = st.text(st.sampled_from('a"\t,\n'), max_size=30)


def cut(text, sound=lambda row: True, mark="\t"):
    numbered = enumerate(text.encode().splitlines(keepends=True), 1)
    return [(number, row.decode()) for number, row in quoted_rows(numbered, mark, sound)]


@given(text=TEXT, mark=st.sampled_from("\t,"))
@example(text='"a\n"\tb"\n', mark="\t")
def test_a_row_ends_where_the_csv_module_ends_it(text, mark):
    text += "\n"
    rows = [row for _, row in cut(text, mark=mark)]
    if all(is_whole(row.encode(), mark) for row in rows):
        found = [next(csv.reader([row], delimiter=mark)) for row in rows]
        expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
        assert [row for row in found if "".join(row).strip()] == [
            row for row in expected if "".join(row).strip()
        ]


@given(text=TEXT, sound=st.booleans())
def test_every_line_that_is_not_blank_is_in_one_row(text, sound):
    rows = cut(text, lambda row: sound)
    kept = [line for _, row in rows for line in row.splitlines() if line.strip()]
    assert kept == [line for line in text.splitlines() if line.strip()]
    assert [number for number, _ in rows] == sorted({number for number, _ in rows})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('"a\nb"\n', [(1, '"a\nb"\n')]),
        ('x\n\n"a\nb\n', [(1, "x\n"), (3, '"a\n'), (4, "b\n")]),
        ('"', [(1, '"')]),
    ],
)
def test_lines_of_an_endless_row_are_separate_rows(text, rows):
    assert cut(text) == rows


def test_lines_of_an_invalid_row_are_separate_rows():
    assert cut('"a\n\nb"\nc\n', lambda row: False) == [(1, '"a\n'), (3, 'b"\n'), (4, "c\n")]


def test_an_unclosed_quote_is_read_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(module, "LINE_LIMIT", 1000)
    taken = 0

    def lines():
        nonlocal taken
        for taken in range(1, 10_001):
            yield taken, b'"a\n' if taken == 1 else b"b\n"

    rows = quoted_rows(lines(), "\t", lambda row: True)
    assert next(rows) == (1, b'"a\n')
    assert taken < 510
    assert sum(1 for _ in rows) == 9_999

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus_files import records, write
from densecli.corpus.columns import Columns
from densecli.corpus.tables import csv_source, raw_rows, split_row, tsv_source
from densecli.errors import FieldError, InputError
from densecli.records import Article, Passage

FIELD = st.text(st.sampled_from('a"\t,\n é\u2028'), max_size=6)


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_and_tsv_tables_are_read(tmp_path, ending, end):
    text = '\ufeffname\tid\tbody\n"T ""x"""\t1\t"say\nso"\n\nb\t2\tmore, of it\n'.replace("\n", end)
    columns = Columns(title="name")
    path = write(tmp_path, "x.tsv" + ending, text)
    assert records(tsv_source(path, columns)) == [
        Article("1", 'T "x"', f"say{end}so"),
        Article("2", "b", "more, of it"),
    ]
    path = write(tmp_path, "x.csv" + ending, '_id,text\n1,"a, b"\n2,tab\there\n')
    assert records(csv_source(path, Columns())) == [Passage("1", "", "a, b"), Passage("2", "", "tab\there")]


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=5), mark=st.sampled_from("\t,"))
@example(rows=[('"', "", "a"), ("b", '""', "\n")], mark="\t")
def test_rows_end_where_the_csv_module_ends_them(tmp_path_factory, rows, mark):
    path = tmp_path_factory.getbasetemp() / "rows"
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=mark, lineterminator="\n").writerows([("id", "x", "y"), *rows])
    found = [split_row(mark, row) for _, row in raw_rows(str(path), mark)]
    text = path.read_text(encoding="utf-8")
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    assert found == [row for row in expected if mark == "," or not set("".join(row)) <= {" "}]


def test_a_quote_inside_a_field_is_plain_text(tmp_path):
    path = write(tmp_path, "x.tsv", 'id\ttext\n1\ta 5" nail\n2\tb\n3\t6" and "7\n')
    assert [one.text for one in records(tsv_source(path, Columns()))] == ['a 5" nail', "b", '6" and "7']


def test_rows_have_the_number_of_their_first_line(tmp_path):
    path = write(tmp_path, "x.tsv", 'id\ttext\n1\t"a\n\n""\nb"\n\n2\tc\n')
    assert [place for place, _ in tsv_source(path, Columns()).raw] == [2, 7]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"1", r"another number of fields \(1\); expected 2: id, text"),
        (b"1\ta\tb", r"another number of fields \(3\); expected 2"),
        (b"1\t\xff", r"not UTF-8 \(0xFF is byte 3\); expected UTF-8 text \(iconv -f WINDOWS-1252 -t UTF-8"),
        (b"1\t\xed\xa0\x80", "not UTF-8"),
        (b'1\t"a" b', r"not a TSV \(.*\); expected tabs, and quotes as csv has them"),
        (b'1\t"a', r"not a TSV \(a quote is opened and not closed\)"),
        (b"1\ta\0", "'text' holds a NUL"),
        (b"\ta", "'id' is empty"),
    ],
)
def test_an_invalid_row_is_refused(tmp_path, row, message):
    source = tsv_source(write(tmp_path, "x.tsv", b"id\ttext\n0\tgood\n" + row), Columns())
    good, (place, bad) = source.raw
    assert source.parse(good[1]) == Article("0", "", "good")
    assert place == 3
    with pytest.raises(FieldError, match=message):
        source.parse(bad)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": is empty; expected a header and at least one passage"),
        ("a\tb\n1\t2\n", ":1: the header is 'a, b'; expected id, title and text, or `id_column`"),
        (b"\xff\n", ":1: not UTF-8"),
        ("id\ttext".encode("utf-16"), ": is UTF-16; expected UTF-8"),
    ],
)
def test_an_invalid_table_is_refused(tmp_path, content, message):
    path = write(tmp_path, "x.tsv", content)
    with pytest.raises(InputError, match=f"^{path}{message}"):
        records(tsv_source(path, Columns()))


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("closing", ["", '4\t"d"\n', '4\t5" d\n', '4\td"\t"x\n'])
def test_a_stray_quote_damages_only_its_line(tmp_path, closing, end):
    path = write(tmp_path, "x.tsv", 'id\ttext\n1\t"a\n2\tb\n\n3\tc\n' + closing + "9\tz" + end)
    source = tsv_source(path, Columns())
    read, broken = [], []
    for place, row in source.raw:
        try:
            read.append(source.parse(row).id)
        except FieldError as error:
            broken.append((place, error.what))
    assert broken[0] == (2, "not a TSV (a quote is opened and not closed)")
    lost = closing.count("\t") == 2
    assert read == ["2", "3", *(["4"] if closing and not lost else []), "9"]
    assert len(broken) == 1 + lost


def test_a_field_of_a_million_words_is_read(tmp_path):
    path = write(tmp_path, "x.tsv", 'id\ttext\n1\t"' + 'w""d\n' * 1_000_000 + '"\n')
    ((_, payload),) = (source := tsv_source(path, Columns())).raw
    assert len(source.parse(payload).text) == 4_000_000


def test_a_wrong_encoding_is_reported_and_not_an_open_quote(tmp_path):
    path = write(tmp_path, "x.csv", 'id,text\n1,"two\nlines of caf\u00e9"\n'.encode("cp1252"))
    with pytest.raises(FieldError, match=r"^not UTF-8 \(0xE9 is byte 20\)"):
        records(csv_source(path, Columns()))

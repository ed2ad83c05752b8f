import pytest

from densecli.corpus.columns import Columns, parse_values, record_of
from densecli.errors import FieldError
from densecli.records import Article, Passage


@pytest.mark.parametrize(
    ("row", "record"),
    [
        ({"id": "a", "title": "T", "text": "t"}, Article("a", "T", "t")),
        ({"id": 5, "text": "t", "_id": "b"}, Article("5", "", "t")),
        ({"id": None, "_id": "b", "title": None, "text": "t"}, Passage("b", "", "t")),
        ({"docid": 7, "contents": "t"}, Passage("7", "", "t")),
        ({"passage_id": "p", "body": "t", "text": None}, Passage("p", "", "t")),
    ],
)
def test_the_first_known_column_name_is_used(row, record):
    assert record_of(Columns(), row) == record


def test_column_names_from_the_user_are_used():
    columns = Columns(ids=("docid",), title="name", texts=("abstract",))
    row = {"id": 1, "docid": 2, "title": "T", "name": "N", "text": "t", "abstract": "a"}
    assert record_of(columns, row) == Article("2", "N", "a")
    with pytest.raises(FieldError, match="no field 'abstract'"):
        record_of(columns, {"docid": 2, "text": "t"})


@pytest.mark.parametrize("row", [{"text": "t"}, {"id": None, "text": "t"}, {"id": "", "text": "t"}])
def test_a_missing_id_is_refused_unless_ids_are_made(row):
    with pytest.raises(FieldError, match=r"'id'.*; expected .*`id_column` names another, `make_ids` numbers"):
        record_of(Columns(), row)
    assert record_of(Columns(make_ids=True), row) == Article("", "", "t")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["text", "id"], Columns(ids=("id",), texts=("text",))),
        (["_id", "title", "body"], Columns(ids=("_id",), texts=("body",), whole=True)),
        (["docid", "id", "contents"], Columns(ids=("id", "docid"), texts=("contents",))),
    ],
)
def test_columns_are_found_in_the_header_of_a_table(header, columns):
    assert Columns().among(header) == columns


@pytest.mark.parametrize(
    ("columns", "header", "missing"),
    [
        (Columns(), ["a", "text"], "`id_column`; `make_ids` numbers the records$"),
        (Columns(), ["a", "b"], "`id_column` and `text_column`; `make_ids`"),
        (Columns(ids=("docid",)), ["id", "text"], "`id_column`$"),
        (Columns(title="name", title_named=True), ["id", "text", "title"], "`title_column`$"),
        (Columns(make_ids=True), ["a", "b"], "expected id, title and text, or `text_column`$"),
    ],
)
def test_a_missing_column_of_a_table_is_named(columns, header, missing):
    with pytest.raises(FieldError, match=missing):
        columns.among(header)


def test_values_in_separate_columns_make_a_record():
    assert parse_values(Columns(), ("text", "id"), ("t", 3)) == Article("3", "", "t")

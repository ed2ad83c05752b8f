import json

import pytest

from corpus_files import records, write
from densecli.corpus.columns import Columns
from densecli.corpus.json_records import json_source, jsonl_source
from densecli.errors import FieldError, InputError
from densecli.records import Article, Passage

ROWS = [{"id": "a", "title": "T", "text": 't [1]\\ "q" }'}, {"id": 2, "text": "é\n{", "more": [{"x": [1]}]}]
ARTICLES = [Article("a", "T", 't [1]\\ "q" }'), Article("2", "", "é\n{")]


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n "])
def test_json_lines_are_read(tmp_path, ending, before):
    text = before + "\r\n".join(json.dumps(row) for row in ROWS)
    source = jsonl_source(write(tmp_path, "x.jsonl" + ending, text), Columns())
    assert records(source) == ARTICLES


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n "])
def test_a_json_array_is_read(tmp_path, ending, indent, before):
    path = write(tmp_path, "x.json" + ending, before + json.dumps(ROWS, indent=indent, ensure_ascii=False))
    assert records(json_source(path, Columns())) == ARTICLES


def test_records_have_their_line_numbers(tmp_path):
    lines = write(tmp_path, "x.jsonl", "{}\n\n{}")
    assert [place for place, _ in jsonl_source(lines, Columns()).raw] == [1, 3]
    array = write(tmp_path, "x.json", '[\n{"a":\n1},\n\n{}]')
    assert [place for place, _ in json_source(array, Columns()).raw] == [2, 5]


def test_an_array_is_streamed(tmp_path):
    path = write(tmp_path, "x.json", "[" + ",".join(json.dumps(ROWS[0]) for _ in range(9000)) + ", {")
    source = json_source(path, Columns())
    assert source.parse(next(source.raw)[1]) == ARTICLES[0]
    with pytest.raises(InputError, match=r"x\.json:1: the JSON array is cut off; expected the whole file"):
        list(source.raw)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": is empty"),
        (" \n", ": is empty"),
        ("x", ":1: begins with b'x'; expected a JSON array of objects"),
        ('[{"id": 1}, 5]', ":1: '5]' in a JSON array; expected objects"),
        ('[{"id": 1}] more', ":1: 'more' after the array"),
        ('[\n{"id": 1}\n{"id": 2}]', r":2: '\{.*' after an object; expected a comma"),
    ],
)
def test_an_invalid_array_is_refused(tmp_path, content, message):
    path = write(tmp_path, "x.json", content)
    with pytest.raises(InputError, match=f"^{path}{message}"):
        list(json_source(path, Columns()).raw)


@pytest.mark.parametrize("make", [jsonl_source, json_source])
def test_an_invalid_object_is_refused(tmp_path, make):
    path = write(
        tmp_path, "x", '[{"id": 1, "text": tru}]' if make is json_source else '{"id": 1, "text": tru}'
    )
    source = make(path, Columns())
    ((_, payload),) = source.raw
    with pytest.raises(FieldError, match="broken JSON"):
        source.parse(payload)


@pytest.mark.parametrize("make", [jsonl_source, json_source])
def test_a_title_column_from_the_user_must_exist(tmp_path, make):
    """In one of the first records at least; those that are broken are told later, as others are."""

    def opened(*rows):
        text = f"[{','.join(rows)}]" if make is json_source else "\n".join(rows)
        return make(write(tmp_path, "x", text), Columns(title="name", title_named=True))

    bare, full = '{"id": 1, "text": "t"}', '{"id": 2, "text": "t", "name": "N"}'
    assert [one.title for one in records(opened(bare, bare, full, bare))] == ["", "", "N", ""]
    with pytest.raises(InputError, match="x:1: no field 'name' in the first 2 records; expected .*id, text"):
        opened(bare, bare)
    with pytest.raises(InputError, match="in the first 100 records"):
        opened(*[bare] * 100, full)
    with pytest.raises(FieldError, match="broken JSON"):
        records(opened('{"id": tru}'))


def test_beir_and_tevatron_rows_are_passages(tmp_path):
    path = write(tmp_path, "x.jsonl", '{"_id": "b", "title": "T", "text": "t", "metadata": {}}\n')
    assert records(jsonl_source(path, Columns())) == [Passage("b", "T", "t")]
    path = write(tmp_path, "x.jsonl", '{"docid": "7", "title": "T", "text": "t"}\n')
    assert records(jsonl_source(path, Columns())) == [Passage("7", "T", "t")]

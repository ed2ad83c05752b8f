import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.errors import InputError
from densecli.files.jsonl import encode_line, read_lines, read_records, write_lines
from densecli.files.streams import open_bytes
from densecli.records import Article, Passage

ROW = b'{"id": "a", "text": "b"}'
PACKED = gzip.compress(ROW + b"\n", mtime=0)


def write(folder, name, data):
    (folder / name).write_bytes(data)
    return str(folder / name)


def articles(path):
    return list(read_records(path, lambda row, _: Article.from_json(row)))


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
@pytest.mark.parametrize(
    "data",
    [
        ROW,
        ROW + b"\n",
        b"\xef\xbb\xbf" + ROW + b"\r\n",
        b"\n  \r\n" + ROW + b"\n\n",
        b'{"text":"b","more":[1,{"x":null}],"title":null,"id":"a"}',
    ],
)
def test_each_valid_layout_of_a_file_is_read(tmp_path, name, data):
    path = write(tmp_path, name, gzip.compress(data) if name.endswith(".gz") else data)
    assert articles(path) == [Article("a", "", "b")]


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + ROW + b"\n[]")))
    found = read_records("-", lambda row, _: Article.from_json(row))
    assert next(found).id == "a"
    with pytest.raises(InputError, match=r"^stdin:2: a JSON list; expected one JSON object per line$"):
        next(found)


def test_parts_of_a_compressed_file_are_read_one_after_the_other(tmp_path):
    path = write(tmp_path, "x.jsonl.gz", PACKED + gzip.compress(b'{"id": 2, "text": "c"}'))
    assert [article.id for article in articles(path)] == ["a", "2"]


def test_the_line_number_counts_blank_lines_and_is_passed_on(tmp_path):
    path = write(tmp_path, "x.jsonl", b"\n{}\n\n{}")
    assert list(read_records(path, lambda _, line: line)) == ["2", "4"]


def test_records_are_streamed(tmp_path):
    path = write(tmp_path, "x.jsonl", ROW + b"\n" + ROW[:-3])
    found = read_records(path, lambda row, _: Article.from_json(row))
    assert next(found) == Article("a", "", "b")
    with pytest.raises(InputError, match=r"x\.jsonl:2: broken JSON .*; expected one JSON object per line"):
        next(found)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "a"}', "no field 'text'; expected an object with 'text'"),
        (b'{"id": "a", "text": null}', "'text' is null; expected an object with 'text'"),
        (b'{"text": "b"}', "no field 'id'"),
        (b'{"id": "a", "text": 5}', "'text' is int 5; expected a string"),
        (b'{"id": "a", "text": ["b"]}', r"'text' is list \['b'\]; expected a string"),
        (b'{"id": 1.5, "text": "b"}', "'id' is float 1.5; expected a string"),
        (b'{"id": true, "text": "b"}', "'id' is bool True"),
        (b'{"id": "a", "title": 5, "text": "b"}', "'title' is int 5"),
        (b'{"id": "a", "text": "b\\u0000"}', "'text' holds a NUL character"),
        (b'{"id": "a", "text": "\\ud800"}', "broken JSON"),
        (b'{"id": "a", "text": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"id": "a", "text": "b\xff"}', r"not UTF-8 \(0xFF is byte 23\); expected UTF-8"),
        (b'{"id": "a", "text": NaN}', "broken JSON"),
        (b'{"id": "a", "text": "b"}}', "broken JSON"),
        (b"b", "broken JSON"),
        (b"5", "a JSON int"),
        (b"null", "a JSON NoneType"),
        (b'[{"id": "a", "text": "b"}]', "a JSON list"),
        ("{}".encode("utf-16"), "is UTF-16"),
    ],
)
def test_an_invalid_line_is_named(tmp_path, line, message):
    path = write(tmp_path, "x.jsonl", ROW + b"\n\n" + line + b"\n")
    with pytest.raises(InputError, match=rf"^{path}:3: {message}"):
        articles(path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.jsonl", b"", "is empty; expected at least one record"),
        ("x.jsonl", b"\n \r\n\t\n", "is empty"),
        ("x.jsonl", b"\xef\xbb\xbf\n", "is empty"),
        ("x.jsonl.gz", b"", "is empty"),
        ("x.jsonl.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("x.jsonl.gz", ROW, "not gzip data"),
        ("x.jsonl.gz", PACKED[:-9], "the gzip stream is cut off or broken; expected the whole file"),
        ("x.jsonl.gz", PACKED[:9], "the gzip stream is cut off or broken"),
        ("x.jsonl.gz", PACKED[:10] + b"\xff" * 9, "the gzip stream is cut off or broken"),
        ("x.jsonl.gz", PACKED[:-8] + bytes(8), "not gzip data, or damaged"),
        ("x.jsonl.gz", PACKED + b"more", "not gzip data, or damaged"),
    ],
)
def test_an_unusable_file_is_named(tmp_path, name, data, message):
    path = write(tmp_path, name, data)
    with pytest.raises(InputError, match=rf"^{path}: {message}"):
        articles(path)


@pytest.mark.parametrize("name", ["nowhere.jsonl", "nowhere.jsonl.gz"])
def test_a_missing_file_is_reported(tmp_path, name):
    with pytest.raises(InputError, match="no such file; expected an existing file or - for stdin"):
        articles(str(tmp_path / name))


@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_a_folder_is_refused(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="is a folder; expected a file"):
        articles(str(tmp_path / name))


def test_errors_of_the_calling_code_are_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError), open_bytes(write(tmp_path, "x", b"")):
        open(tmp_path / "other")  # noqa: SIM115 - does not open


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(Passage, *[st.text(st.characters(codec="utf-8", exclude_characters="\0"))] * 3), min_size=1
    )
)
def test_records_survive_a_round_trip(tmp_path_factory, passages):
    path = tmp_path_factory.getbasetemp() / "round-trip.jsonl"
    assert write_lines(path, (passage.to_json() for passage in passages)) == len(passages)
    assert [number for number, _ in read_lines(str(path))] == list(range(1, len(passages) + 1))
    assert list(read_records(str(path), lambda row, _: Passage.from_json(row))) == passages


def test_a_record_is_written_on_one_line():
    assert encode_line({"text": "a\nb\u2028\r", "n": 1.5}) == '{"text":"a\\nb\u2028\\r","n":1.5}\n'.encode()


def test_rows_that_fail_leave_the_file_as_it_was(tmp_path):
    def rows():
        yield {"id": "1"}
        raise ValueError("the second row")

    path = tmp_path / "rows.jsonl"
    for before in (None, b"as it was\n"):
        if before is not None:
            path.write_bytes(before)
        with pytest.raises(ValueError, match="the second row"):
            write_lines(path, rows())
        assert (path.read_bytes() if path.exists() else None) == before
    assert write_lines(path, iter([{"id": "1"}])) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]

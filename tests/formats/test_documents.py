import bz2
import gzip
import io
import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from densecli.errors import FieldError, InputError
from densecli.formats import documents
from densecli.formats.documents import HEAD, open_document


def write(folder, data, name="x.jsonl"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def rows(path):
    with open_document(path) as document:
        return [(row.line, row.element, row.id, row.fields) for row in document.rows()]


def lines(path):
    with open_document(path) as document:
        return document.first, list(document.lines())


def test_json_lines_are_read(tmp_path):
    path = write(tmp_path, b"\xef\xbb\xbf\n \r\n{}\r\n\n\xff\nlast")
    assert lines(path) == (b"{}", [(3, b"{}"), (5, b"\xff"), (6, b"last")])


def test_rows_of_lines_and_arrays_are_read(tmp_path):
    assert rows(write(tmp_path, '{"a": 1}\n\n{"b": 2}\n')) == [
        (1, None, "1", {"a": 1}),
        (3, None, "3", {"b": 2}),
    ]
    inside = [(2, 1, "1", {"a": 1}), (2, 2, "2", {"b": 2})]
    assert rows(write(tmp_path, '\ufeff[\n{"a": 1},{"b": 2}]')) == inside
    assert rows(write(tmp_path, '[{"a": 1},{"b": 2}]')) == [(1, *row[1:]) for row in inside]
    assert rows(write(tmp_path, '{"v":\t1, "data":\n[{"a": 1},{"b": 2}]}')) == inside


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 1.0, "data": [{"a": 1}, {"b": 2}]}',
        '{\n "version": "1",\n "data": [\n  {"a": 1},\n  {"b": 2}\n ]\n}\n',
        '{"data":[{"a":1},{"b":2}],"version":"1"}',
        '[{"a": 1},\n {"b": 2}]',
        '\n\n  [\n\n{"a": 1}\n,\n{"b": 2}\n]\n\n',
        "[" + " " * 200_000 + '{"a": 1},{"b": 2}]',
        '{"version": "' + "x" * 30_000 + '", "data": [{"a": 1}, {"b": 2}]}',
    ],
)
@pytest.mark.parametrize("pack", ["", ".gz", ".bz2"])
def test_an_array_is_read_in_any_layout(tmp_path, text, pack):
    data = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}[pack](text.encode())
    assert [row[-1] for row in rows(write(tmp_path, data, f"x.json{pack}"))] == [{"a": 1}, {"b": 2}]


def test_objects_over_several_lines_are_read(tmp_path):
    text = '{\n  "a": 1\n}\n{\n  "b": [\n    2\n  ]\n}\n'
    assert rows(write(tmp_path, text)) == [(1, 1, "1", {"a": 1}), (4, 2, "2", {"b": [2]})]
    assert [row[-1] for row in rows(write(tmp_path, '{"a": 1,\n"b": {\n}} {"c": 3}'))] == [
        {"a": 1, "b": {}},
        {"c": 3},
    ]


@pytest.mark.parametrize("indent", [None, 2])
def test_numbered_objects_use_the_numbers_as_ids(tmp_path, indent):
    text = json.dumps({"17": {"a": 1}, "4": {"b": 2}}, indent=indent)
    assert [row[2:] for row in rows(write(tmp_path, text))] == [("17", {"a": 1}), ("4", {"b": 2})]


@pytest.mark.parametrize("name", ["data", "questions", "examples", "results"])
def test_objects_under_a_key_are_read(tmp_path, name):
    path = write(tmp_path, json.dumps({"made": "today", name: [{"a": 1}, {"b": 2}]}, indent=1))
    assert [row[-1] for row in rows(path)] == [{"a": 1}, {"b": 2}]


def test_standard_input_is_inspected_and_then_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'[{"a": 1}]')))
    assert rows("-") == [(1, 1, "1", {"a": 1})]


def test_reading_starts_after_the_first_line(tmp_path):
    """A person or a slow program at the other end of a pipe gets an answer to each line."""
    code = (
        "from densecli.formats.documents import open_document\n"
        "with open_document('-') as document:\n"
        "    for row in document.rows(): print(row.fields, flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdin
        assert run.stdout
        for number in range(3):
            run.stdin.write(b'{"n": %d}\n' % number)
            run.stdin.flush()
            assert run.stdout.readline() == b"{'n': %d}\n" % number
        run.stdin.close()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "x.jsonl: is empty"),
        (b"\xef\xbb\xbf \n\n", "x.jsonl: is empty"),
        ('{"a": 1}'.encode("utf-16"), "x.jsonl: is UTF-16; expected UTF-8"),
        (b'{"a": 1}\n{"b": \n', "x.jsonl:2: broken JSON"),
        (b'{"a": 1}\n[1]\n', "x.jsonl:2: a JSON list"),
        (b'{\n "a": [\n1]}\n{\n "b": 1 2}', "x.jsonl:4: object 2: broken JSON"),
        (b'{\n "a": [\n1]\n', "x.jsonl:1: object 1: a JSON object is cut off; expected the whole file"),
        (b'{"0": {"a": 1}, "1": {"b" 2}}', "x.jsonl:1: object 2: broken JSON"),
        (b'{"0": {"a": 1}, 1: {}}', "x.jsonl:1: object 2: '1: {}}' among JSON objects; expected objects"),
        (b'[\n{"a": 1},\n{"b" 2}]', "x.jsonl:3: object 2: broken JSON"),
        (b'[{"a": 1}, {"b": "\xff"}]', "x.jsonl:1: object 2: not UTF-8 (0xFF is byte 8)"),
        (b'[{"a": 1}, {"b": 2}', "x.jsonl:1: object 3: the JSON array is cut off; expected the whole file"),
        (b'[{"a": 1}, {"b": "', "x.jsonl:1: object 2: the JSON array is cut off"),
        (b'[{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}]", "x.jsonl:1: object 1: broken JSON"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "x.jsonl:1: broken JSON"),
        (b'{"a": ' + b"[" * 5_000_000, "x.jsonl:1: broken JSON"),
        (b'{"a": ' + b"[" * 5_000_000 + b"\n", "x.jsonl:1: broken JSON"),
    ],
)
def test_unreadable_input_is_reported_with_its_position(tmp_path, data, told):
    path = write(tmp_path, data)
    with pytest.raises(InputError) as error:
        rows(path)
    assert str(error.value).removeprefix(f"{tmp_path}/").startswith(told)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_truncated_download_is_reported(tmp_path, pack, form):
    objects = [{"a": str(number) * 9} for number in range(3000)]
    text = json.dumps(objects) if form == "array" else "".join(json.dumps(one) + "\n" for one in objects)
    data = pack(text.encode())
    path = write(tmp_path, data[: len(data) // 2], "x.json.gz" if pack is gzip.compress else "x.json.bz2")
    with pytest.raises(InputError, match="stream is cut off or broken; expected the whole file"):
        rows(path)


def test_a_line_of_ten_megabytes_is_read(tmp_path):
    long = json.dumps({"text": "x" * 10_000_000})
    assert len(rows(write(tmp_path, f"{long}\n{long}\n"))) == 2
    assert len(rows(write(tmp_path, f"[{long}, {long}]"))) == 2


@pytest.mark.parametrize("at", [1, 2])
def test_an_endless_line_is_refused(tmp_path, monkeypatch, at):
    monkeypatch.setattr(documents, "LINE_LIMIT", 1 << 17)
    path = write(tmp_path, '{"a": 1}\n' * (at - 1) + '{"a": "' + "x" * (1 << 18) + '"}')
    with pytest.raises(InputError, match=f":{at}: a line of more than 0 MiB"):
        rows(path)


def test_an_unusable_record_is_refused(tmp_path):
    def refuse(row, _id):
        if "b" in row:
            raise FieldError("b", "a")
        return [row]

    with ExitStack() as stack:
        document = stack.enter_context(open_document(write(tmp_path, '[{"a": 1},\n{"b": 1}]')))
        found = document.each(document.rows(), refuse)
        assert next(found) == {"a": 1}
        with pytest.raises(InputError, match=r"x\.jsonl:2: object 2: b; expected a"):
            next(found)


@pytest.mark.parametrize("more", range(-4, 5))
def test_a_byte_order_mark_before_a_long_line_loses_nothing(tmp_path, more):
    line = b'{"text": "' + b"x" * (HEAD + more) + b'"}'
    path = write(tmp_path, b"\xef\xbb\xbf" + line + b"\n{}\n")
    with open_document(path) as document:
        assert list(document.lines()) == [(1, line), (2, b"{}")]

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.errors import FieldError
from densecli.files import json_objects
from densecli.files.json_objects import ARRAY, ObjectCutter, layout_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5)
NASTY = st.text('"\\[]{},:\n é', max_size=8)


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data, size):
        super().__init__(data)
        self._size = size

    def read(self, size=-1):
        return super().read(min(self._size, size) if size > 0 else self._size)


def cut(data, size=1 << 16, begun=0):
    data = data if isinstance(data, bytes) else data.encode()
    layout = layout_of(data, data) if begun else ARRAY
    return ObjectCutter(Trickle(data[begun:], size), data[:begun], 1, layout)


@given(OBJECTS, st.integers(1, 40), st.sampled_from([None, 1, 4]), st.booleans(), st.booleans())
def test_every_object_is_returned(objects, size, indent, ascii_only, wrapped):
    whole = {"version": '1."1', "n": -1.5, "data": objects} if wrapped else objects
    text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
    begun = len(text.encode()) if wrapped else 0
    assert [json.loads(part) for part in cut(text, size, begun)] == objects


@given(st.lists(st.dictionaries(NASTY, NASTY | st.lists(NASTY), max_size=3), max_size=4), st.integers(1, 9))
def test_brackets_and_quotes_inside_strings_are_text(objects, size):
    assert [json.loads(part) for part in cut(json.dumps(objects), size)] == objects


ALIKE = st.fixed_dictionaries({"a": NASTY | st.lists(st.fixed_dictionaries({"a": NASTY}), max_size=3)})


@given(st.lists(ALIKE, max_size=9), st.integers(1, 40), st.sampled_from([None, 0, 1]), st.data())
def test_objects_that_begin_alike_come_out_with_their_lines(objects, size, indent, data):
    parts = [json.dumps(one, indent=indent) for one in objects]
    if parts and data.draw(st.booleans()):
        parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(
            st.sampled_from(['{"a": x}', '{"a": "x]}, {"a": 1"}'])
        )
    between = data.draw(st.sampled_from([", ", ",\n", ",", "\n , "]))
    cutter = cut("[" + between.join(parts) + "]", size)
    found = [(part.decode(), cutter.line) for part in cutter]
    before = [between.join(parts[:number]) + between * (number > 0) for number in range(len(parts))]
    assert found == [(one, 1 + text.count("\n")) for one, text in zip(parts, before, strict=True)]


def test_the_first_of_objects_that_begin_alike_show_where_the_others_end(monkeypatch):
    closed = []
    monkeypatch.setattr(
        ObjectCutter, "_closed", lambda self, usual=ObjectCutter._closed: closed.append(1) or usual(self)
    )
    objects = [{"a": "x" * number, "b": [{"c": 1}, {"c": 2}]} for number in range(100)]
    cutter = cut(json.dumps(objects))
    assert [cutter.parsed() for _ in cutter] == objects
    assert len(closed) == 2  # the first and the last


def test_each_object_has_its_line_number():
    cutter = cut('\n[\n{"a":\n1},\n\n{"b": 2}, {"c": 3}\n]\n', 3)
    assert [(cutter.line, part) for part in cutter] == [
        (3, b'{"a":\n1}'),
        (6, b'{"b": 2}'),
        (6, b'{"c": 3}'),
    ]


def test_other_fields_beside_the_data_are_ignored():
    text = '{"data": [{"a": 1}], "version": "1", "made" : "by } ]"}\n'
    assert list(cut(text, 5, 12)) == [b'{"a": 1}']


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "the JSON array is cut off; expected the whole file"),
        ('[{"a": 1}', "cut off"),
        ('[{"a": 1},', "cut off"),
        ('[{"a": [{"b": 1}', "cut off"),
        ('[{"a": "]}', "cut off"),
        ('[{"a": "\\"}]', "cut off"),
        ("[1, 2]", "'1, 2]' in a JSON array; expected objects"),
        ('["a"]', "in a JSON array"),
        ("[[]]", "'[]]' in a JSON array"),
        ('[{"a": 1}{"b": 2}]', """'{"b": 2}]' after an object; expected a comma"""),
        ('[{"a": 1}, ]', "']' in a JSON array"),
        ('[{"a": 1},, {}]', "', {}]' in a JSON array"),
        ('[{"a": 1} x]', "'x]' after an object"),
        ('[{"a": 1}] {"b": 2}', """'{"b": 2}' after the array; expected its end"""),
        ('[{"a": 1}]]', "']' after the array"),
        ('{"data": [{"a": 1}]', "'' after the array"),
        ('{"data": [{"a": 1}], "b": []}', "after the array"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_input_that_is_not_an_array_of_objects_is_refused(text, told, size):
    with pytest.raises(FieldError) as error:
        list(cut(text, size, 12 if text.startswith("{") else 0))
    assert size == 1 or told in str(error.value)


def test_mismatched_brackets_are_left_to_the_parser():
    assert list(cut('[{"a": [1}]]')) == [b'{"a": [1}]']


def test_objects_up_to_the_size_limit_are_read(monkeypatch):
    monkeypatch.setattr(json_objects, "PIECE", 1000)
    long = json.dumps({"a": 'x\\"]' * 100_000, "b": [[]] * 10_000})
    assert [len(part) for part in cut(f"[{long}, {long}]")] == [len(long)] * 2
    monkeypatch.setattr(json_objects, "LINE_LIMIT", 100_000)
    with pytest.raises(FieldError, match="an object of more than 0 MiB"):
        list(cut(f"[{long}]"))


def test_very_deep_nesting_is_read():
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert list(cut(f"[{deep}]")) == [deep.encode()]

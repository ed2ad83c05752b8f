import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.artifacts.passages import batch as portion
from densecli.artifacts.passages.batch import make_batch
from densecli.errors import ResourceError

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(0, 1 << 40))))
def test_columns_survive_a_round_trip(rows):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    found = make_batch(columns, [1] * len(rows)).rows
    assert [column.to_pylist() for column in found.columns] == columns
    found.validate(full=True)


def test_text_that_arrow_cannot_store_is_reported(monkeypatch):
    monkeypatch.setattr(portion, "LARGEST_COLUMN", 10)
    assert len(make_batch([["1"], [""], ["0123456789"]], [1])) == 1
    with pytest.raises(ResourceError, match="more than 2 GiB; let `stride` be larger"):
        make_batch([["1"], [""], ["0123456789a"]], [1])

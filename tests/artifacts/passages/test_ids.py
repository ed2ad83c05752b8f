import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.artifacts.passages import ids
from densecli.artifacts.passages.ids import TABLE, IdTable, IdTableBuilder, hash_id, hash_ids

IDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), unique=True)


def built(names):
    builder = IdTableBuilder()
    for start in range(0, len(names), 3):
        builder.add(hash_ids(names[start : start + 3]))
    return builder


def table(folder, names):
    builder = built(names)
    assert not len(builder.find_repeated(names.__getitem__))
    builder.write(folder)
    return IdTable(folder, names.__getitem__, len(names))


def test_a_hash_does_not_depend_on_the_machine():
    assert hash_id("wiki:1") == int.from_bytes(bytes.fromhex("a8ecd47dcf800cf6"), "little")  # b2sum -l 64
    assert hash_id("é") != hash_id("e\u0301")


@settings(max_examples=50)
@given(IDS)
def test_rows_are_found_by_id(tmp_path_factory, names):
    found = table(tmp_path_factory.getbasetemp(), names)
    assert [found.row_of(name) for name in names] == list(range(len(names)))
    assert found.row_of("not there") is None


@pytest.fixture
def colliding(monkeypatch):
    """Ids that begin with the same letter have the same hash."""
    monkeypatch.setattr(ids, "digest", lambda name: name[0].encode().ljust(8))


@pytest.mark.usefixtures("colliding")
def test_ids_with_the_same_hash_are_distinguished(tmp_path):
    names = ["b1", "a1", "b2", "b3", "a2", "c"]
    found = table(tmp_path, names)
    assert [found.row_of(name) for name in names] == list(range(6))
    assert found.row_of("b4") is None
    assert found.row_of("d") is None


@pytest.mark.usefixtures("colliding")
@pytest.mark.parametrize(
    ("names", "repeated"),
    [
        (["a1", "a2", "a1"], [[2, 0]]),
        (["a1", "b", "a2", "b", "a1"], [[3, 1], [4, 0]]),
        (["c", "a1", "a1", "c"], [[2, 1], [3, 0]]),
        (["a1", "a1", "a1"], [[1, 0], [2, 0]]),
        (["a1", "a2"], []),
        ([], []),
    ],
)
def test_repeated_ids_are_found(names, repeated):
    assert built(names).find_repeated(names.__getitem__).tolist() == repeated


@given(st.lists(st.sampled_from("abcdefgh"), max_size=12))
def test_repeated_ids_match_a_dictionary(names):
    first = {}
    pairs = [[row, first[name]] for row, name in enumerate(names) if first.setdefault(name, row) != row]
    assert built(names).find_repeated(names.__getitem__).tolist() == pairs


@pytest.mark.parametrize("size", [1, 2, 7])
def test_the_table_does_not_depend_on_the_blocks_written(tmp_path, monkeypatch, size):
    names = [str(number) for number in range(7)]
    builder = built(names)
    builder.write(tmp_path)
    expected = (tmp_path / TABLE).read_bytes()
    monkeypatch.setattr(ids, "PART", size)
    builder.write(tmp_path)
    assert (tmp_path / TABLE).read_bytes() == expected


def test_the_table_is_sorted_and_memory_mapped(tmp_path):
    found = table(tmp_path, [str(number) for number in range(1000)])
    assert isinstance(found._table, np.memmap)
    assert np.all(np.diff(np.load(tmp_path / TABLE)["hash"].astype(object)) > 0)

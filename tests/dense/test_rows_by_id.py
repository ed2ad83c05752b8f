from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray, shard_path
from densecli.dense.rows_by_id import PassageRows, place_vectors
from densecli.errors import ArtifactError
from densecli.records import Passage
from stores import write_store

COUNT = 10


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PassageStore:
    passages = [Passage(str(number), "", f"text {number}") for number in range(COUNT)]
    return write_store(tmp_path_factory.mktemp("stores") / "passages", passages)


def vector(number: int) -> FloatArray:
    return np.array([number, -number, 1], np.float32)


def placed(folder: Path, rows: int = COUNT, size: int = 4) -> FloatArray:
    return np.concatenate([np.load(shard_path(folder, number)) for number in range(-(-rows // size))])


@given(order=st.permutations(range(COUNT)), prefix=st.sampled_from(["wiki:", ""]))
def test_vectors_find_their_rows_in_any_order(
    store: PassageStore, tmp_path_factory: pytest.TempPathFactory, order: list[int], prefix: str
) -> None:
    folder = tmp_path_factory.mktemp("vectors")
    counts: Counter[str] = Counter()
    pairs = [(f"{prefix}{number}", vector(number)) for number in order]
    assert place_vectors(pairs, PassageRows(store), folder, 4, counts) == 3
    np.testing.assert_array_equal(placed(folder), [vector(number) for number in range(COUNT)])
    assert counts == {"vectors": COUNT}


def test_prefixed_ids_are_found_by_ids_without_prefix(tmp_path: Path) -> None:
    named = write_store(tmp_path / "passages", [Passage("wiki:1", "", "a"), Passage("other:2", "", "b")])
    rows = PassageRows(named)
    assert [rows.of(one) for one in ("1", "wiki:1", "other:2", "2", "wiki:2")] == [0, 0, 1, None, None]
    assert PassageRows(named, "other:").of("2") == 1


def test_vectors_of_missing_passages_are_refused_or_zero(store: PassageStore, tmp_path: Path) -> None:
    pairs = [(str(number), vector(number)) for number in range(3)] + [("99", vector(9))]
    (tmp_path / "a").mkdir()
    with pytest.raises(ArtifactError, match=r"7 of 10 passages have no vector \(3, 4, 5 \.\.\.\)"):
        place_vectors(pairs, PassageRows(store), tmp_path / "a", 4, Counter())
    (tmp_path / "b").mkdir()
    counts: Counter[str] = Counter()
    place_vectors(pairs, PassageRows(store), tmp_path / "b", 4, counts, allow_missing=True)
    expected = [vector(number) if number < 3 else np.zeros(3) for number in range(COUNT)]
    np.testing.assert_array_equal(placed(tmp_path / "b"), expected)
    assert counts == {"vectors": 3, "vectors_of_other_passages": 1, "passages_without_vector": 7}


def test_unknown_and_duplicate_passages_are_refused(store: PassageStore, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no vector is of a passage in the store, whose ids are 0, 1, 2"):
        place_vectors([("x", vector(1))], PassageRows(store), tmp_path, 4, Counter(), allow_missing=True)
    with pytest.raises(ArtifactError, match="id 'wiki:1' has two vectors"):
        place_vectors([("1", vector(1)), ("wiki:1", vector(1))], PassageRows(store), tmp_path, 4, Counter())

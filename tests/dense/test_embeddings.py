import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.artifacts.vectors import FloatArray
from densecli.dense.embeddings import (
    read_embeddings,
    read_id_list,
    write_embeddings,
    write_encoded,
    write_id_list,
)
from densecli.errors import ArtifactError
from densecli.records import Passage

GOLDEN = Path(__file__).parents[1] / "golden"


def some(count: int, dimension: int = 4) -> list[tuple[str, FloatArray]]:
    numbers = np.random.default_rng(3)
    return [(f"wiki:{n}", numbers.normal(size=dimension).astype(np.float32)) for n in range(count)]


def same(found: list[tuple[str, FloatArray]], expected: list[tuple[str, FloatArray]]) -> bool:
    return [one for one, _ in found] == [one for one, _ in expected] and all(
        np.array_equal(ours, theirs) for (_, ours), (_, theirs) in zip(found, expected, strict=True)
    )


def test_a_shard_of_the_reference_is_read() -> None:
    recorded = json.loads((GOLDEN / "checkpoint.json").read_text())["forward"]
    found = list(read_embeddings([GOLDEN / "tiny_embeddings_0"]))
    assert [passage_id for passage_id, _ in found] == ["wiki:1", "wiki:2", "wiki:3"]
    np.testing.assert_allclose([vector for _, vector in found], recorded["ctx_vectors"], atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2, 999, 1000, 1001, 2500])
def test_a_written_shard_is_a_pickle_of_numpy_arrays(tmp_path: Path, count: int) -> None:
    path = tmp_path / "shard_0"
    write_embeddings(path, iter(some(count)))
    assert b"numpy._core" not in path.read_bytes()  # which NumPy before 1.26 does not know
    theirs = pickle.loads(path.read_bytes())
    assert same(theirs, some(count))
    assert all(vector.dtype == np.float32 and vector.flags.writeable for _, vector in theirs)
    assert same(list(read_embeddings([path])), some(count))


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_shards_of_other_programs_are_read(tmp_path: Path, protocol: int, kind: str) -> None:
    pairs = some(1200)
    other = [(passage_id, vector.astype(kind), "more") for passage_id, vector in pairs]
    (tmp_path / "shard").write_bytes(pickle.dumps(other, protocol))
    found = list(read_embeddings([tmp_path / "shard"]))
    assert [one for one, _ in found] == [one for one, _ in pairs]
    for (_, ours), (_, theirs, _) in zip(found, other, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs.astype(np.float32))


def test_shards_of_a_folder_are_sorted_by_number(tmp_path: Path) -> None:
    pairs = some(12)
    for number, pair in enumerate(pairs):
        write_embeddings(tmp_path / f"wiki_passages_{number}", [pair])
    (tmp_path / "manifest.json").write_text("{}")
    assert same(list(read_embeddings([tmp_path])), pairs)


def test_json_lines_of_pyserini_survive_a_round_trip(tmp_path: Path) -> None:
    passages = [Passage("1", "Title", "a text"), Passage("2", "", "another")]
    vectors = [vector for _, vector in some(2)]
    write_encoded(tmp_path / "e.jsonl", zip(passages, vectors, strict=True))
    rows = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [(row["id"], row["contents"]) for row in rows] == [("1", "Title\na text"), ("2", "another")]
    assert same(list(read_embeddings([tmp_path / "e.jsonl"])), [("1", vectors[0]), ("2", vectors[1])])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_ids_survive_a_round_trip(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    path = tmp_path_factory.mktemp("ids") / "index_meta.dpr"
    write_id_list(path, iter(ids))
    assert pickle.loads(path.read_bytes()) == ids
    assert list(read_id_list(path)) == ids


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps([("1", [1.0, 2.0])]), "holds a tuple that is no vector"),
        (pickle.dumps(["1"]), "holds a str that is no vector"),
        (pickle.dumps({"1": 2}), "no list"),
        (pickle.dumps([("1", np.ones((2, 2), np.float32))]), r"float32, \(2, 2\)"),
        (pickle.dumps([("1", np.ones(2, np.int64))]), "an array of int64"),
        (pickle.dumps([("1", np.ones(2)), ("2", np.ones(3))]), r"vector 2 \('2'\) has 3 numbers; expected 2"),
        (pickle.dumps([("1", np.array([1, np.nan]))]), "not finite"),
        (pickle.dumps([("1", np.ones(2))])[:-20], "cut off"),
        (pickle.dumps([(Path("x"), np.ones(2))]), r"wants pathlib"),
        (b'{"id": 1}\n', r":1: 'vector' is no list of numbers"),
        (b'{"id": 1, "vector": [1, "2"]}\n', r":1: 'vector' is no list of numbers"),
        (b"x y z\n", r":1: broken JSON"),
        (b"", "is empty"),
    ],
)
def test_files_without_vectors_are_reported(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "shard"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=told):
        list(read_embeddings([path]))


def test_missing_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file"):
        list(read_embeddings([tmp_path / "none"]))
    with pytest.raises(ArtifactError, match="is an empty folder"):
        list(read_embeddings([tmp_path]))
    (tmp_path / "meta").write_bytes(pickle.dumps(["1", 2]))
    with pytest.raises(ArtifactError, match="holds a int"):
        list(read_id_list(tmp_path / "meta"))

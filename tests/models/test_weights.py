import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from densecli.errors import ArtifactError
from densecli.models.weights import (
    FloatArray,
    WordTable,
    check_shapes,
    header_digest,
    load_state,
    quantize,
    read_header,
    save_state,
)

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4) - 5
VECTOR = np.array([1.5, -2.5], dtype=np.float32)


def test_float32_survives_a_round_trip_and_safetensors_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_state(path, {"b": VECTOR, "a": MATRIX, "none": np.zeros((0, 3), np.float32)})
    for found in (load_state(path), load_file(path)):
        assert sorted(found) == ["a", "b", "none"]
        np.testing.assert_array_equal(found["a"], MATRIX)
        np.testing.assert_array_equal(found["b"], VECTOR)


def test_a_file_written_by_safetensors_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(
        {"a": MATRIX, "embeddings.position_ids": np.arange(4), "pooler.dense.bias": VECTOR},
        path,
        {"format": "pt"},
    )
    assert list(load_state(path)) == ["a"]


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 9)),
        elements=st.floats(-1e3, 1e3, width=32, allow_subnormal=False),
    )
)
def test_quantized_rows_differ_by_at_most_half_a_scale(weight: FloatArray) -> None:
    rows, scales = quantize(weight)
    assert rows.dtype == np.int8
    assert scales.shape == (len(weight), 1)
    assert (np.abs(rows * scales - weight) <= scales * 0.5001).all()


def test_compact_files_keep_vectors_and_have_a_quarter_of_the_size(tmp_path: Path) -> None:
    wide = np.random.default_rng(1).normal(size=(64, 256)).astype(np.float32)
    state = {"m": wide, "v": VECTOR}
    save_state(tmp_path / "full", state)
    save_state(tmp_path / "compact", state, compact=True)
    found = load_state(tmp_path / "compact", {"m": (64, 256), "v": (2,)})
    np.testing.assert_array_equal(found["v"], VECTOR)
    assert np.abs(found["m"] - wide).max() <= np.abs(wide).max() / 127 / 2 * 1.001
    assert (tmp_path / "compact").stat().st_size < 0.28 * (tmp_path / "full").stat().st_size


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ({"a": (3, 4), "b": (2,), "c": (7,)}, r"weight c of shape \(7,\) is missing"),
        ({"a": (3, 4)}, r"weight b of shape \(2,\) is not part"),
        ({"a": (4, 3), "b": (2,)}, r"weight a has shape \(3, 4\); the config asks for \(4, 3\)"),
    ],
)
@pytest.mark.parametrize("compact", [False, True])
def test_weights_that_do_not_fit_are_named(
    tmp_path: Path, expected: dict[str, tuple[int, ...]], told: str, compact: bool
) -> None:
    path = tmp_path / "w.safetensors"
    save_state(path, {"a": MATRIX, "b": VECTOR}, compact)
    with pytest.raises(ArtifactError, match=told):
        load_state(path, expected)


def test_rows_without_their_scales_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": np.ones((3, 4), np.int8)}, path)
    with pytest.raises(ArtifactError, match=r"a\.scale of shape \(3, 1\) is missing"):
        check_shapes(path, read_header(path), {"a": (3, 4)})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_is_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "w.safetensors"
    save_state(path, {"fine": VECTOR, "odd": np.array([value], np.float32)})
    with pytest.raises(ArtifactError, match="weight odd holds values that are not finite"):
        load_state(path)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(ArtifactError, match="missing"):
        read_header(path)
    save_state(path, {"a": MATRIX})
    whole = path.read_bytes()
    for size in (len(whole) - 1, 20, 4, 0):
        path.write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match="cut off"):
            read_header(path)
    path.write_bytes(b"<html>not weights</html>")
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        read_header(path)
    save_file({"a": MATRIX.astype(np.float16)}, path)
    with pytest.raises(ArtifactError, match="a is of type F16"):
        read_header(path)


def test_the_header_digest_depends_on_the_layout_and_not_on_values(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path, state in zip(paths, ({"a": MATRIX}, {"a": MATRIX + 1}, {"a": MATRIX.T}), strict=True):
        save_state(path, state)
    same, also, other = map(header_digest, paths)
    assert same == also != other


@pytest.mark.parametrize("compact", [False, True])
def test_word_rows_match_the_loaded_table(tmp_path: Path, compact: bool) -> None:
    path = tmp_path / "words.safetensors"
    save_state(path, {"embeddings.word_embeddings.weight": MATRIX}, compact)
    table = WordTable(path)
    assert table.shape == (3, 4)
    whole = load_state(path)["embeddings.word_embeddings.weight"]
    ids = np.array([[2, 0], [1, 1]])
    np.testing.assert_array_equal(table.take(ids), whole[ids])


def test_a_word_table_is_one_matrix(tmp_path: Path) -> None:
    path = tmp_path / "words.safetensors"
    save_state(path, {"a": MATRIX, "b": MATRIX})
    with pytest.raises(ArtifactError, match="2 tensors"):
        WordTable(path)


def headed(path: Path, change: dict[str, object]) -> Path:
    """A file of two tensors of 8 bytes whose header has other entries."""
    rows = {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
    }
    text = json.dumps(rows | change).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    return path


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}, "a and b share bytes"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a and b share bytes"),
        ({"dtype": "F32", "shape": [3], "data_offsets": [8, 16]}, r"b has 8 bytes for \[3\]"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [16, 24]}, "cut off inside b"),
        ({"dtype": "F32", "shape": [-2], "data_offsets": [8, 16]}, "header of b is damaged"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [16, 8]}, "header of b is damaged"),
        ({"dtype": "F32", "shape": [0, 1 << 60], "data_offsets": [8, 8]}, "header of b is damaged"),
        ({"dtype": "F32", "shape": 2, "data_offsets": [8, 16]}, "header of b is damaged"),
        ({"dtype": "F32", "shape": [2.0], "data_offsets": [8, 16]}, "header of b is damaged"),
        ({"dtype": "BF16", "shape": [4], "data_offsets": [8, 16]}, "is of type BF16; expected F32 or I8"),
        ({"dtype": "F32"}, "header of b is damaged"),
        ([1], "header of b is damaged"),
    ],
)
def test_a_damaged_header_is_refused_by_name(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(ArtifactError, match=rf"w\.safetensors: .*{message}"):
        read_header(headed(tmp_path / "w.safetensors", {"b": row}))


def test_a_header_that_is_a_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes((4).to_bytes(8, "little") + b"[12]")
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        read_header(path)

import numpy as np
import pytest

from densecli.artifacts.kinds import ExamplesManifest, VectorsManifest
from densecli.artifacts.vectors import VectorStore, shard_path, write_shard
from densecli.errors import ArtifactError


def write(folder, shards, **facts):
    folder.mkdir(exist_ok=True)
    for number, shard in enumerate(shards):
        write_shard(folder, number, shard)
    told = {"rows": sum(map(len, shards)), "dimension": shards[0].shape[1], "shards": len(shards)} | facts
    VectorsManifest(fingerprint="f", retriever="r", passages="p", **told).write(folder)
    return folder


@pytest.fixture
def shards():
    vectors = np.random.default_rng(1).standard_normal((10, 4)).astype(np.float32)
    return [vectors[:4], vectors[4:8], vectors[8:]]


def test_shards_are_read_with_their_first_rows(tmp_path, shards):
    store = VectorStore.open(write(tmp_path, shards))
    assert store.shape == (10, 4)
    made = store.manifest
    assert (made.retriever, made.passages, made.fingerprint) == ("r", "p", "f")
    found = list(store.shards())
    assert [first for first, _ in found] == [0, 4, 8]
    for (_, vectors), shard in zip(found, shards, strict=True):
        assert isinstance(vectors, np.memmap)
        np.testing.assert_array_equal(vectors, shard)


@pytest.mark.parametrize("rows", [[], [9], [8, 0, 3, 3, 4, 9, 7], list(range(10))])
def test_rows_are_taken_in_any_order(tmp_path, shards, rows):
    found = VectorStore.open(write(tmp_path, shards)).take(np.array(rows, dtype=np.int64))
    np.testing.assert_array_equal(found, np.concatenate(shards)[rows].reshape(-1, 4))


def test_vectors_are_written_as_float32(tmp_path):
    write_shard(tmp_path, 0, np.arange(12, dtype=np.float64).reshape(4, 3).T)
    found = np.load(shard_path(tmp_path, 0))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert [path.name for path in tmp_path.iterdir()] == ["shard-00000.npy"]


def archive(path):
    np.savez(path.with_suffix(".npz"), np.zeros((4, 4), np.float32))
    path.with_suffix(".npz").rename(path)


def headed(header):
    """A shard whose header says something else."""
    return lambda path: path.write_bytes(
        b"\x93NUMPY\x01\0" + (118).to_bytes(2, "little") + header.ljust(117).encode() + b"\n" + bytes(64)
    )


SHAPED = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }"
DAMAGE = {
    "negative": headed(SHAPED % "(4, -4)"),
    "endless": headed(SHAPED % f"(4, {10**20})"),
    "open": headed("[[[[[["),
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "junk": lambda path: path.write_bytes(b"junk" * 100),
    "archive": archive,
    "objects": lambda path: np.save(path, np.array([[{}]], dtype=object)),
    "doubles": lambda path: np.save(path, np.zeros((4, 4))),
    "other end": lambda path: np.save(path, np.zeros((4, 4), ">f4")),
    "wider": lambda path: np.save(path, np.zeros((4, 5), np.float32)),
    "flat": lambda path: np.save(path, np.zeros(16, np.float32)),
    "shorter": lambda path: np.save(path, np.zeros((3, 4), np.float32)),
}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "not readable"),
        ("empty", "not readable"),
        ("cut off", "not readable"),
        ("junk", "not readable"),
        ("archive", "not readable"),
        ("objects", "not readable"),
        ("negative", "not readable"),
        ("endless", "not readable"),
        ("open", "not readable"),
        ("doubles", r"holds float64 \(4, 4\), not float32"),
        ("other end", ">f4"),
        ("wider", r"float32 \(4, 5\), the manifest says float32 \(n, 4\)"),
        ("flat", r"holds float32 \(16,\), not float32 of 2 dimensions"),
        ("shorter", "9 vectors, the manifest says 10"),
    ],
)
def test_a_damaged_shard_is_refused(tmp_path, shards, how, message):
    store = VectorStore.open(write(tmp_path, shards))
    DAMAGE[how](shard_path(tmp_path, 1))
    with pytest.raises(ArtifactError, match=rf"{message}.*; run `densecli embed --force`"):
        list(store.shards())


def test_another_artifact_is_not_opened_as_vectors(tmp_path):
    ExamplesManifest(fingerprint="f").write(tmp_path)
    with pytest.raises(ArtifactError, match="is an artifact of kind examples, and vectors is needed"):
        VectorStore.open(tmp_path)

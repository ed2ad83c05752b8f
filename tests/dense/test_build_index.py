import numpy as np

from dense.conftest import stored
from densecli.artifacts.kinds import IndexManifest
from densecli.configs.corpus import IndexConfig
from densecli.dense.index import BATCH, DenseIndex
from densecli.dense.index import build as build_index


def test_building_reports_progress_and_writes_the_index(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((BATCH + 10, 4)).astype(np.float32)
    store = stored(tmp_path / "v", vectors[: BATCH + 4], vectors[BATCH + 4 :])
    assert list(build_index(store, IndexConfig(), tmp_path)) == [BATCH, BATCH + 4, BATCH + 10]
    IndexManifest(fingerprint="i", retriever="r", passages="p", structure="flat").write(tmp_path)
    index = DenseIndex.open(tmp_path)
    assert len(index) == BATCH + 10
    rows, _ = index.search(100 * vectors[-1:], 1)
    assert rows[0, 0] == np.argmax(vectors @ vectors[-1])


def test_the_same_vectors_give_the_same_flat_index(tmp_path):
    vectors = np.arange(40, dtype=np.float32).reshape(10, 4)
    for name, cut in (("a", 3), ("b", 8)):
        (tmp_path / name).mkdir()
        store = stored(tmp_path / f"v-{name}", vectors[:cut], vectors[cut:])
        list(build_index(store, IndexConfig(), tmp_path / name))
    assert (tmp_path / "a" / "index.faiss").read_bytes() == (tmp_path / "b" / "index.faiss").read_bytes()

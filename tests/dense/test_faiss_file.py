"""A damaged index file is refused, or gives other results: FAISS never crashes or hangs."""

import random

import faiss
import numpy as np
import pytest

from densecli.dense.faiss_file import check_index_file

EXTREME = [bytes.fromhex(one) for one in ("ffffffff", "ffffff7f", "00000080", "01000000", "1e000000")]
VECTORS = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)


def written(path, kind):
    index = faiss.IndexFlatIP(4) if kind == "flat" else faiss.IndexHNSWFlat(4, 4, faiss.METRIC_INNER_PRODUCT)
    index.add(VECTORS)
    faiss.write_index(index, str(path))
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_a_complete_file_is_accepted_and_a_truncated_one_is_not(tmp_path, kind):
    path = tmp_path / "index"
    data = written(path, kind)
    check_index_file(path)
    for length in (0, 3, 10, 40, 200, len(data) // 2, len(data) - 1, len(data) + 1):
        path.write_bytes((data + b"x")[:length])
        with pytest.raises(ValueError):
            check_index_file(path)


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_an_accepted_file_can_be_searched(tmp_path, kind):
    """Every number of the header and of the graph is replaced by an extreme one, in turn."""
    path = tmp_path / "index"
    data = written(path, kind)
    draw = random.Random(0)
    end = len(data) - VECTORS.nbytes
    refused = 0
    for place in range(0, end, 4):
        value = draw.choice(
            [b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0", b"\x3c\0\0\0"]
        )
        path.write_bytes(data[:place] + value + data[place + 4 :])
        try:
            check_index_file(path, whole=True)
        except ValueError:
            refused += 1
            continue
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        rows = index.search(VECTORS[:3], 5)[1]
        assert ((rows >= -1) & (rows < 30)).all()
    assert refused > end / 4 / 2


def test_another_kind_of_index_is_reported(tmp_path):
    index = faiss.index_factory(4, "SQ8")
    index.train(VECTORS)
    index.add(VECTORS)
    faiss.write_index(index, str(tmp_path / "index"))
    with pytest.raises(ValueError, match="it is of FAISS's kind 'IxSQ', not flat or HNSW"):
        check_index_file(tmp_path / "index")

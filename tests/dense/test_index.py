import faiss
import numpy as np
import pytest

from dense.conftest import stored
from densecli.artifacts.kinds import Bm25Manifest, IndexManifest, VectorsManifest
from densecli.configs.corpus import IndexConfig
from densecli.dense.index import BATCH, FILE, DenseIndex, build
from densecli.errors import ArtifactError

KINDS = ["flat", "hnsw"]


def random(rows, width=8, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


def naive(vectors, questions, k):
    """The definition: every inner product by a loop, best first, ties by row."""
    rows, scores = [], []
    for question in questions:
        products = [
            sum(float(a) * float(b) for a, b in zip(question, vector, strict=True)) for vector in vectors
        ]
        best = sorted(range(len(vectors)), key=lambda row: (-products[row], row))[:k]
        rows.append(best)
        scores.append([products[row] for row in best])
    return rows, scores


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("questions", [1, 40])
@pytest.mark.parametrize("k", [1, 7, 150])
def test_results_match_the_naive_version(indexed, kind, questions, k):
    vectors, asked = random(200), random(questions, seed=1)
    index = indexed(
        kind, vectors[:70], vectors[70:], **({} if kind == "flat" else {"hnsw_search_breadth": 400})
    )
    rows, scores = index.search(asked, k)
    expected_rows, expected_scores = naive(vectors, asked, k)
    assert rows.tolist() == expected_rows
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-5)
    assert (len(index), index.dimension) == (200, 8)


def test_both_kinds_give_a_pair_the_same_score(indexed):
    vectors, asked = 10 * random(500, 16), random(20, 16, seed=1)
    flat, hnsw = (indexed(kind, vectors) for kind in KINDS)
    rows, scores = hnsw.search(asked, 30)
    every_row, every_score = flat.search(asked, 500)
    for found, its, order, all_scores in zip(rows, scores, every_row, every_score, strict=True):
        by_row = dict(zip(order.tolist(), all_scores.tolist(), strict=True))
        np.testing.assert_allclose(its, [by_row[row] for row in found.tolist()], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_asking_for_more_hits_than_vectors_returns_all(indexed, kind):
    rows, scores = indexed(kind, random(5)).search(random(3, seed=1), 100)
    assert rows.shape == scores.shape == (3, 5)
    assert np.sort(rows, axis=1).tolist() == [[0, 1, 2, 3, 4]] * 3
    assert np.isfinite(scores).all()


def test_all_vectors_are_compared_when_the_graph_finds_too_few(indexed):
    """Points far apart with two links each: the graph falls into parts."""
    vectors, asked = np.repeat(random(20, 2), 2, axis=0), random(5, 2, seed=1)
    index = indexed("hnsw", vectors, hnsw_neighbors=2, hnsw_build_breadth=8)
    rows, scores = index.search(asked, 40)
    expected_rows, expected_scores = naive(vectors, asked, 40)
    assert rows.tolist() == expected_rows
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4)


@pytest.mark.parametrize("k", [1, 9, 200, 420])
def test_a_graph_finds_copies_of_a_vector_and_its_neighbors(indexed, k):
    vectors = np.concatenate([random(120), np.repeat(random(3, seed=2), 100, axis=0)])
    vectors = vectors[np.random.default_rng(3).permutation(len(vectors))]
    asked = np.concatenate([random(30, seed=1), vectors[::20]])
    index = indexed("hnsw", vectors[:200], vectors[200:], hnsw_search_breadth=300)
    rows, scores = index.search(asked, k)
    expected_rows, expected_scores = naive(vectors, asked, k)
    assert rows.tolist() == expected_rows
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-5)
    everything = np.tile(np.arange(420), (len(asked), 1))
    np.testing.assert_allclose(index.score(asked, everything), asked @ vectors.T, rtol=1e-4, atol=1e-5)


def test_a_few_copies_are_kept_in_the_graph(indexed):
    index = indexed("hnsw", np.repeat(random(20), 32, axis=0))
    assert not (index.folder / "copies.npy").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"junk"),
        lambda path: np.save(path, np.zeros((3, 3), np.int64)),
        lambda path: np.save(path, np.zeros((3, 2))),
        lambda path: np.save(path, np.full((3, 2), 50)),
        lambda path: np.save(path, np.full((3, 2), -1)),
        lambda path: np.save(path, np.array([[{}, 1]], dtype=object)),
    ],
)
def test_a_damaged_list_of_copies_is_refused(indexed, damage):
    folder = indexed("hnsw", np.repeat(random(1), 50, axis=0)).folder
    damage(folder / "copies.npy")
    with pytest.raises(ArtifactError, match=r"copies\.npy: .*; run `densecli index --force`"):
        DenseIndex.open(folder)


@pytest.mark.parametrize("questions", [1, 30])
@pytest.mark.parametrize("k", [1, 5, 20, 99, 100, 150])
def test_ties_at_rank_k_are_ordered_by_row(indexed, questions, k):
    rng = np.random.default_rng(k)
    vectors, asked = (rng.integers(-1, 2, (rows, 3)).astype(np.float32) for rows in (400, questions))
    rows, scores = indexed("flat", vectors).search(asked, k)
    expected_rows, expected_scores = naive(vectors, asked, k)
    assert rows.tolist() == expected_rows
    assert scores.tolist() == expected_scores


def test_equal_passages_are_ordered_by_row(indexed):
    rows, _ = indexed("flat", np.ones((3000, 2))).search(np.ones((2, 2), np.float32), 10)
    assert rows.tolist() == [list(range(10))] * 2


def test_a_batch_spans_several_blocks_and_shards(indexed):
    vectors = random(2 * BATCH + 5, 2)
    index = indexed("flat", vectors[: BATCH + 1], vectors[BATCH + 1 :])
    rows, _ = index.search(vectors[[0, BATCH, BATCH + 1, 2 * BATCH + 4]] * 1000, 1)
    expected = np.argmax(vectors[[0, BATCH, BATCH + 1, 2 * BATCH + 4]] @ vectors.T, axis=1)
    assert rows[:, 0].tolist() == expected.tolist()


def test_no_questions_give_no_hits(indexed):
    rows, scores = indexed("flat", random(3)).search(np.empty((0, 8), np.float32), 2)
    assert rows.shape == scores.shape == (0, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_given_passages_are_scored_exactly_and_missing_ones_get_0(indexed, kind):
    vectors, asked = random(300, 33), random(7, 33, seed=1)
    index = indexed(kind, vectors[:100], vectors[100:])
    rows = np.random.default_rng(2).integers(-1, 300, (7, 400))
    scores = index.score(asked, rows)
    expected = np.where(rows < 0, 0, np.einsum("nd,nmd->nm", asked, vectors[rows]))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    assert index.score(asked, rows[:, :0]).shape == (7, 0)
    assert index.score(asked[:0], rows[:0]).shape == (0, 400)


def test_equal_vectors_have_equal_scores_in_any_row(indexed):
    index = indexed("flat", np.repeat(random(1, 33), 50, axis=0))
    scores = index.score(random(1, 33, seed=1), np.arange(50)[None])
    assert len(set(scores[0].tolist())) == 1


def test_a_row_beyond_the_index_is_refused(indexed):
    with pytest.raises(ArtifactError, match="has 3 vectors, none of passage 3"):
        indexed("flat", random(3)).score(random(1), np.array([[0, 3]]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_that_are_not_finite_are_refused(tmp_path, kind, value):
    vectors = random(BATCH + 9)
    vectors[BATCH + 3, 2] = value
    store = stored(tmp_path / "v", vectors[:5], vectors[5:])
    with pytest.raises(ArtifactError, match=f"vector {BATCH + 3} is not finite; check the model"):
        list(build(store, IndexConfig(kind="flat"), tmp_path))
    assert not (tmp_path / FILE).exists()


def test_questions_of_another_width_are_refused(indexed):
    with pytest.raises(
        ArtifactError, match=r"have 5 components, the index .* has 8; search with the retriever"
    ):
        indexed("flat", random(3)).search(random(1, 5), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [None, b"", b"junk", "half"])
def test_a_damaged_index_is_refused(indexed, kind, data):
    folder = indexed(kind, random(300)).folder
    path = folder / FILE
    if data is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if data == "half" else data)
    with pytest.raises(ArtifactError, match=r"index\.faiss: not readable .*run `densecli index --force`"):
        DenseIndex.open(folder)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (
            VectorsManifest(fingerprint="f", retriever="r", passages="p", rows=1, dimension=2, shards=1),
            "is an artifact of kind vectors, and index is needed",
        ),
        (Bm25Manifest(fingerprint="f", passages="p"), "is an artifact of kind bm25, and index is needed"),
        (
            IndexManifest(fingerprint="f", retriever="r", passages="p", structure="ivf"),
            "an index of kind 'ivf'; this version searches flat and hnsw",
        ),
    ],
)
def test_another_artifact_is_not_opened_as_a_dense_index(tmp_path, manifest, message):
    manifest.write(tmp_path)
    with pytest.raises(ArtifactError, match=message):
        DenseIndex.open(tmp_path)


def test_the_flat_index_is_memory_mapped(indexed):
    """Opening it must not read 4 MB of vectors."""
    index = indexed("flat", random(20_000, 50))
    before = resident()
    again = DenseIndex.open(index.folder)
    assert resident() - before < 2_000_000
    assert len(again) == 20_000


def resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_reported(tmp_path, kind):
    """The last bytes too: faiss's own writer loses them without a word."""
    (tmp_path / FILE).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        list(build(stored(tmp_path / "v", random(5)), IndexConfig(kind=kind), tmp_path))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, 3e38])
def test_a_score_that_is_not_finite_is_reported_as_damage(indexed, kind, odd):
    index = indexed(kind, random(200))
    stored = faiss.read_index(str(index.folder / FILE))
    vectors = faiss.downcast_index(getattr(stored, "storage", stored))
    faiss.rev_swig_ptr(vectors.get_xb(), vectors.ntotal * vectors.d)[7 * vectors.d :][: vectors.d] = odd
    faiss.write_index(stored, str(index.folder / FILE))
    damaged = DenseIndex.open(index.folder)
    asked = 100 * np.ones((1, 8), np.float32)
    with pytest.raises(ArtifactError, match="scores are not finite"):
        damaged.score(asked, np.array([[3, 7]]))
    if not np.isnan(odd):  # faiss itself never finds a vector with NaN
        with pytest.raises(ArtifactError, match="scores are not finite"):
            damaged.search(asked, 200)


@pytest.mark.parametrize(
    ("before", "after"), [(128_000, 800 * faiss.omp_get_max_threads()), (20, 20), (800, 800)]
)
def test_matrix_multiplication_begins_with_few_questions(indexed, monkeypatch, before, after):
    index = indexed("flat", random(20))
    monkeypatch.setattr(faiss.cvar, "distance_compute_blas_threshold", before)
    DenseIndex.open(index.folder)
    assert faiss.cvar.distance_compute_blas_threshold == after

"""Indexes of DPR and Pyserini over the passages of a store: made here as their programs make them."""

import json
import pickle
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from densecli.artifacts.kinds import IndexManifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray
from densecli.dense.index import DenseIndex
from densecli.dense.interchange import index_files, open_foreign_index, take_over, write_index
from densecli.dense.rows_by_id import PassageRows
from densecli.errors import ArtifactError, InputError
from densecli.records import Passage
from stores import write_store

GOLDEN = Path(__file__).parents[1] / "golden"
COUNT, DIMENSION, K = 600, 8, 10
NUMBERS = np.random.default_rng(5)
VECTORS = NUMBERS.normal(size=(COUNT, DIMENSION)).astype(np.float32) * NUMBERS.uniform(0.5, 2, (COUNT, 1))
VECTORS = VECTORS.astype(np.float32)
QUESTIONS = NUMBERS.normal(size=(20, DIMENSION)).astype(np.float32)
SHUFFLED = NUMBERS.permutation(COUNT)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PassageStore:
    passages = [Passage(str(number), "", f"text {number}") for number in range(COUNT)]
    return write_store(tmp_path_factory.mktemp("stores") / "passages", passages)


def augmented(vectors: FloatArray) -> FloatArray:
    """As the reference does it: `golden/l2_augmentation.json`."""
    norms = (vectors**2).sum(axis=1)
    return np.column_stack([vectors, np.sqrt(np.maximum(norms.max() - norms, 0))]).astype(np.float32)


def built(kind: str, vectors: FloatArray) -> Any:
    if kind == "flat":
        index: Any = faiss.IndexFlatIP(DIMENSION)
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(DIMENSION, 16, faiss.METRIC_INNER_PRODUCT)
    else:
        index, vectors = faiss.IndexHNSWFlat(DIMENSION + 1, 16), augmented(vectors)
    if kind != "flat":
        index.hnsw.efSearch = 100
    index.add(vectors)
    return index


def dprs(folder: Path, index: Any, ids: Iterable[int], names: tuple[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    faiss.write_index(index, str(folder / names[0]))
    listed = [f"wiki:{number}" for number in ids]
    if names[1] == "docid":
        (folder / "docid").write_text("".join(f"{one}\n" for one in listed))
    else:
        (folder / names[1]).write_bytes(pickle.dumps(listed))
    return folder


def taken(source: Path, store: PassageStore, folder: Path, **options: Any) -> DenseIndex:
    folder.mkdir()
    found = open_foreign_index(source, DIMENSION)
    take_over(found, PassageRows(store), folder, Counter(), **options)
    IndexManifest(fingerprint="i", retriever="r", passages="p", structure=found.kind).write(folder)
    return DenseIndex.open(folder)


NAMES = [("index.dpr", "index_meta.dpr"), ("full.index.dpr", "full.index_meta.dpr"), ("index", "docid")]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "augmented"])
@pytest.mark.parametrize("order", [np.arange(COUNT), SHUFFLED], ids=["in order", "shuffled"])
def test_imported_vectors_have_the_rows_and_scores_of_the_store(
    store: PassageStore, tmp_path: Path, kind: str, order: Any
) -> None:
    theirs = built(kind, VECTORS[order])
    ours = taken(dprs(tmp_path / "dpr", theirs, order, NAMES[0]), store, tmp_path / "ours")
    rows, scores = ours.search(QUESTIONS, K)
    np.testing.assert_allclose(scores, np.take_along_axis(QUESTIONS @ VECTORS.T, rows, 1), atol=1e-4)
    np.testing.assert_allclose(ours.score(QUESTIONS, rows), scores, atol=1e-4)
    asked = QUESTIONS if kind != "augmented" else np.pad(QUESTIONS, ((0, 0), (0, 1)))
    np.testing.assert_array_equal(rows, order[theirs.search(asked, K)[1]])


@pytest.mark.parametrize("names", NAMES, ids=["dpr", "full", "pyserini"])
def test_every_file_name_of_an_index_is_known(
    store: PassageStore, tmp_path: Path, names: tuple[str, str]
) -> None:
    source = dprs(tmp_path / "x", built("flat", VECTORS), range(COUNT), names)
    assert index_files(source) == (source / names[0], source / names[1])
    pairs = list(open_foreign_index(source, DIMENSION).pairs())
    assert [one for one, _ in pairs] == [f"wiki:{number}" for number in range(COUNT)]
    np.testing.assert_array_equal([vector for _, vector in pairs], VECTORS)


@pytest.mark.parametrize("tag", ["index", "flat_index"])
def test_prefixed_file_names_are_known_in_both_spellings(tmp_path: Path, tag: str) -> None:
    names = (f"pref.{tag}.dpr", f"pref.{tag}_meta.dpr")
    dprs(tmp_path, built("flat", VECTORS), range(COUNT), names)
    assert index_files(tmp_path / "pref") == (tmp_path / names[0], tmp_path / names[1])


def test_an_index_of_the_reference_is_read() -> None:
    recorded = json.loads((GOLDEN / "io_formats.json").read_text())["index"]
    pairs = list(open_foreign_index(GOLDEN / "tiny_index_dir", 4).pairs())
    assert [one for one, _ in pairs] == recorded["meta"]
    np.testing.assert_array_equal([vector for _, vector in pairs], np.eye(4)[:3])


@pytest.mark.parametrize("kind", ["flat", "augmented"])
@pytest.mark.parametrize("program", ["dpr", "pyserini"])
def test_exported_indexes_survive_a_round_trip(
    store: PassageStore, tmp_path: Path, kind: str, program: str
) -> None:
    ours = taken(
        dprs(tmp_path / "dpr", built(kind, VECTORS), range(COUNT), NAMES[0]), store, tmp_path / "ours"
    )
    rows, scores = ours.search(QUESTIONS, K)
    (tmp_path / "theirs").mkdir()
    write_index(ours.folder, (f"wiki:{number}" for number in range(COUNT)), tmp_path / "theirs", program)
    theirs = faiss.read_index(str(tmp_path / "theirs" / ("index.dpr" if program == "dpr" else "index")))
    if program == "dpr" and kind == "augmented":
        distances, found = theirs.search(np.pad(QUESTIONS, ((0, 0), (0, 1))), K)
        phi = (VECTORS**2).sum(axis=1).max()
        found_scores = ((QUESTIONS**2).sum(axis=1, keepdims=True) + phi - distances) / 2
    else:
        found_scores, found = theirs.search(QUESTIONS, K)
    np.testing.assert_array_equal(found, rows)
    np.testing.assert_allclose(found_scores, scores, atol=1e-3)
    again = taken(tmp_path / "theirs", store, tmp_path / "again")
    np.testing.assert_array_equal(again.search(QUESTIONS, K)[0], rows)


def test_vectors_of_missing_passages_are_refused_or_zero(store: PassageStore, tmp_path: Path) -> None:
    half = range(0, COUNT, 2)
    source = dprs(tmp_path / "flat", built("flat", VECTORS[::2]), half, NAMES[0])
    with pytest.raises(ArtifactError, match="300 of 600 passages have no vector"):
        taken(source, store, tmp_path / "a")
    ours = taken(source, store, tmp_path / "b", allow_missing=True)
    scores = ours.score(QUESTIONS[:1], np.arange(COUNT)[None])
    assert not scores[0, 1::2].any()
    np.testing.assert_allclose(scores[0, ::2], VECTORS[::2] @ QUESTIONS[0], atol=1e-4)
    graph = dprs(tmp_path / "hnsw", built("hnsw", VECTORS[::2]), half, NAMES[0])
    with pytest.raises(ArtifactError, match="have no vector"):
        taken(graph, store, tmp_path / "c", allow_missing=True)


def test_a_graph_over_additional_passages_is_refused(store: PassageStore, tmp_path: Path) -> None:
    more = np.concatenate([VECTORS, VECTORS[:5]])
    graph = dprs(tmp_path / "hnsw", built("hnsw", more), range(COUNT + 5), NAMES[0])
    with pytest.raises(ArtifactError, match="a graph over 605 vectors"):
        taken(graph, store, tmp_path / "ours")
    flat = dprs(tmp_path / "flat", built("flat", more), range(COUNT + 5), NAMES[0])
    assert len(taken(flat, store, tmp_path / "fine")) == COUNT


def test_indexes_that_cannot_be_imported_are_refused(store: PassageStore, tmp_path: Path) -> None:
    plain = faiss.IndexHNSWFlat(DIMENSION + 1, 16)
    plain.add(NUMBERS.normal(size=(COUNT, DIMENSION + 1)).astype(np.float32))
    l2 = faiss.IndexFlatL2(DIMENSION)
    l2.add(VECTORS)
    packed = faiss.index_factory(DIMENSION, "SQ8", faiss.METRIC_INNER_PRODUCT)
    packed.train(VECTORS)
    packed.add(VECTORS)
    wide = faiss.IndexFlatIP(DIMENSION + 3)
    wide.add(np.zeros((COUNT, DIMENSION + 3), np.float32))
    cases = [
        (plain, "searches by L2 distance"),
        (l2, "another measure than inner products"),
        (packed, "it is of FAISS's kind 'IxSQ', not flat or HNSW"),
        (wide, "vectors of 11 components; the retriever's have 8"),
        (faiss.IndexFlatIP(DIMENSION), "no vector in it"),
    ]
    for number, (index, told) in enumerate(cases):
        source = dprs(tmp_path / f"x{number}", index, range(COUNT), NAMES[0])
        with pytest.raises(ArtifactError, match=told):
            taken(source, store, tmp_path / f"ours{number}")


@pytest.mark.parametrize(("ids", "told"), [(COUNT - 1, "599 for its 600"), (COUNT + 1, "more than its 600")])
def test_ids_that_do_not_match_are_reported(store: PassageStore, tmp_path: Path, ids: int, told: str) -> None:
    source = dprs(tmp_path / "x", built("flat", VECTORS), range(ids), NAMES[0])
    with pytest.raises(ArtifactError, match=told):
        taken(source, store, tmp_path / "ours")
    twice = dprs(tmp_path / "y", built("flat", VECTORS), [0, *range(COUNT - 1)], NAMES[0])
    with pytest.raises(ArtifactError, match="'wiki:0' has two vectors"):
        taken(twice, store, tmp_path / "twice")


def test_damage_is_reported(store: PassageStore, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no index in it; expected index.dpr and index_meta.dpr"):
        open_foreign_index(tmp_path, DIMENSION)
    source = dprs(tmp_path / "x", built("flat", VECTORS), range(COUNT), NAMES[0])
    whole = (source / "index.dpr").read_bytes()
    for data in (b"", whole[:20], whole[: len(whole) // 2], b"text" * 100):
        (source / "index.dpr").write_bytes(data)
        with pytest.raises(ArtifactError, match="not an index that can be read"):
            open_foreign_index(source, DIMENSION)
    (source / "index.dpr").write_bytes(whole)
    (source / "index_meta.dpr").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ArtifactError, match="index_meta.dpr: the pickle"):
        list(open_foreign_index(source, DIMENSION).pairs())


def test_an_id_with_a_line_break_is_refused_as_docid(store: PassageStore, tmp_path: Path) -> None:
    ours = taken(
        dprs(tmp_path / "x", built("flat", VECTORS), range(COUNT), NAMES[0]), store, tmp_path / "ours"
    )
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="has a line end in it"):
        write_index(ours.folder, (f"a\n{number}" for number in range(COUNT)), tmp_path / "out", "pyserini")


@pytest.mark.parametrize("kind", ["flat", "hnsw", "dpr"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_refused_with_its_row(store, tmp_path, kind, odd):
    vectors = VECTORS.copy()
    index = built(kind, vectors)
    stored = faiss.downcast_index(getattr(index, "storage", index))
    faiss.rev_swig_ptr(stored.get_xb(), stored.ntotal * stored.d)[41 * stored.d + 3] = odd
    source = dprs(tmp_path / "source", index, range(COUNT), NAMES[0])
    with pytest.raises(ArtifactError, match=r"index\.dpr: vector 42 has a value that is not finite"):
        taken(source, store, tmp_path / "taken")
    with pytest.raises(ArtifactError, match="vector 42 has a value that is not finite"):
        list(open_foreign_index(source, DIMENSION).pairs())


@pytest.mark.parametrize("program", ["dpr", "pyserini"])
def test_a_graph_without_its_copies_is_not_exported(indexed, tmp_path, program):
    ours = indexed("hnsw", np.ones((COUNT, 4)))
    with pytest.raises(ArtifactError, match="many passages have one vector.*build a flat index"):
        write_index(ours.folder, map(str, range(COUNT)), tmp_path / "theirs", program)

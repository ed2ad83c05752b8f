import numpy as np
import pytest

from densecli.artifacts.kinds import ExamplesManifest, PassagesManifest
from densecli.artifacts.passages.store import BLOCK, FILE, PassageStore, write_passages
from densecli.errors import ArtifactError, InputError
from densecli.records import Passage

SIZES = [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 3]
STRANGE = [
    "",
    "a",
    "\u200fעברית\u200e",
    "\u202eabc",
    "𝔘𝔫𝔦",
    "tab\tline\nend\r",
    "\x01\x1b[31m",
    "é e\u0301",
    "x" * 70_000,
]


def passage(number):
    return Passage(f"id {number}", f"title {number % 7}", f"text of {number} ")


def write(folder, passages):
    rows, fingerprint = write_passages(folder, passages, "test")
    PassagesManifest(fingerprint=fingerprint).write(folder)
    return rows, fingerprint


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    def make(size):
        folder = tmp_path_factory.mktemp("store")
        assert write(folder, (passage(row) for row in range(size)))[0] == size
        return PassageStore.open(folder)

    return {size: make(size) for size in SIZES}


@pytest.mark.parametrize("size", SIZES)
def test_random_access_matches_a_list(stores, size):
    store, expected = stores[size], [passage(row) for row in range(size)]
    assert len(store) == size
    edges = {
        row for edge in (0, BLOCK, 2 * BLOCK, size) for row in range(edge - 2, edge + 3) if 0 <= row < size
    }
    rows = [*edges, *np.random.default_rng(0).integers(0, size, 50).tolist()]
    assert [store[row] for row in rows] == [expected[row] for row in rows]
    assert store.take(rows) == [expected[row] for row in rows]
    assert store.take(np.array(rows)) == [expected[row] for row in rows]
    assert [store.row_of(expected[row].id) for row in sorted(edges)] == sorted(edges)
    for outside in (-1, size):
        with pytest.raises(IndexError):
            store[outside]


@pytest.mark.parametrize("size", [1, BLOCK, 2 * BLOCK + 3])
@pytest.mark.parametrize(
    ("start", "stop", "step"), [(0, None, BLOCK), (0, None, 5000), (BLOCK - 1, BLOCK + 1, 256), (7, 3, 10)]
)
def test_blocks_match_slices_of_a_list(stores, size, start, stop, step):
    expected = [passage(row) for row in range(size)]
    end = size if stop is None else min(stop, size)
    found = list(stores[size].blocks(start, stop, step))
    assert [first for first, _ in found] == list(range(start, end, step))
    assert [one for _, block in found for one in block] == expected[start:end]
    assert all(len(block) == step for _, block in found[:-1])


@pytest.mark.parametrize("size", SIZES)
def test_all_passages_are_read_in_order(stores, size):
    assert list(stores[size]) == [passage(row) for row in range(size)]


def test_an_unknown_id_is_refused(stores):
    assert stores[2].row_of("id 2") is None


def test_unusual_text_survives_a_round_trip(tmp_path):
    passages = [Passage(f"{number}{text[:9]}", text, text) for number, text in enumerate(STRANGE)]
    write(tmp_path, passages)
    store = PassageStore.open(tmp_path)
    assert list(store) == passages
    assert [store.row_of(one.id) for one in passages] == list(range(len(passages)))


def test_the_fingerprint_depends_on_the_content(tmp_path):
    def of(*passages):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return write(folder, passages)[1]

    one, other = Passage("1", "t", "a b"), Passage("2", "t", "c")
    assert of(one, other) == of(one, other)
    changed = [
        (one, other), (other, one), (one,), (one, other, Passage("3", "t", "c")),
        (Passage("0", "t", "a b"), other), (Passage("1", "T", "a b"), other),
        (Passage("1", "t", "a  b"), other), (Passage("1", "ta", " b"), other),
        (Passage("1", "t", "a b\x01"), other),
    ]  # fmt: skip
    assert len({of(*passages) for passages in changed}) == len(changed)


def test_the_same_passages_give_the_same_bytes(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        write_passages(tmp_path / name, map(passage, range(BLOCK + 1)), "test")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_duplicate_is_named_by_its_first_two_places(tmp_path):
    passages = [*map(passage, range(BLOCK + 9)), passage(3), passage(BLOCK)]
    with pytest.raises(
        InputError,
        match=rf"^wiki: id 'id 3' occurs twice \(passages 4 and {BLOCK + 10}\); expected unique ids$",
    ):
        write_passages(tmp_path, passages, "wiki")


def test_a_store_without_passages_is_refused(tmp_path):
    with pytest.raises(InputError, match="no passage in it"):
        write_passages(tmp_path, [], "wiki")


def test_errors_of_the_source_are_raised(tmp_path):
    def broken():
        yield passage(0)
        raise InputError("wiki", 2, "broken")

    with pytest.raises(InputError, match="wiki:2: broken"):
        write_passages(tmp_path, broken(), "wiki")


@pytest.mark.parametrize("data", [None, b"", b"junk", "half"])
def test_a_damaged_store_is_refused(tmp_path, data):
    write(tmp_path, map(passage, range(50)))
    path = tmp_path / FILE
    if data is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if data == "half" else data)
    with pytest.raises(ArtifactError, match=rf"{FILE}: not readable .*run `densecli preprocess` again"):
        PassageStore.open(tmp_path)


def test_another_artifact_is_not_opened_as_a_store(tmp_path):
    ExamplesManifest(fingerprint="f").write(tmp_path)
    with pytest.raises(ArtifactError, match="is an artifact of kind examples, and passages is needed"):
        PassageStore.open(tmp_path)

import numpy as np
import orjson
import pytest

from densecli.errors import ArtifactError
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build
from densecli.records import Passage

PASSAGES = [Passage("1", "Cats", "purr"), Passage("2", "Dogs", "bark at cats")]


@pytest.fixture
def index(tmp_path):
    build(PASSAGES, tmp_path)
    return tmp_path


def settings(**changes):
    return lambda row: orjson.dumps({**row, **changes})


def test_a_missing_index_names_the_command_that_builds_it(tmp_path):
    with pytest.raises(ArtifactError, match="no BM25 index.*densecli index --kind bm25"):
        Bm25.open(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["letters", "ends", "bounds", "rows", "grades", "pairs", "best"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None])
def test_a_damaged_file_is_refused(index, name, content):
    path = index / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    with pytest.raises(ArtifactError, match="damaged"):
        Bm25.open(index)


@pytest.mark.parametrize("name", ["letters", "ends", "bounds", "rows", "grades", "best"])
def test_files_of_different_indexes_are_refused(index, name):
    array = np.load(index / f"{name}.npy")
    np.save(index / f"{name}.npy", array[:-1])
    with pytest.raises(ArtifactError, match="damaged"):
        Bm25.open(index)


def test_arrays_of_another_type_are_refused(index):
    np.save(index / "rows.npy", np.load(index / "rows.npy").astype(np.float32))
    with pytest.raises(ArtifactError, match="rows.npy holds float32"):
        Bm25.open(index)


def test_a_missing_file_is_reported(index):
    (index / "rows.npy").unlink()
    with pytest.raises(ArtifactError, match="no BM25 index"):
        Bm25.open(index)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"passages": "x"}',
        settings(passages=0),
        settings(k1=None),
        settings(analysis={}),
        settings(
            analysis={"word": "(", "stop_words": "", "stemmer": "", "lower_case": True, "unicode": "nfc"}
        ),
        settings(
            analysis={"word": "x", "stop_words": "", "stemmer": "?", "lower_case": True, "unicode": "nfc"}
        ),
        settings(analysis={"word": "x", "stop_words": "", "stemmer": "", "lower_case": True, "unicode": "?"}),
    ],
)
def test_damaged_settings_are_refused(index, content):
    path = index / "settings.json"
    path.write_bytes(content(orjson.loads(path.read_bytes())) if callable(content) else content)
    with pytest.raises(ArtifactError, match="damaged"):
        Bm25.open(index)


@pytest.mark.parametrize(("name", "value"), [("rows", 5), ("grades", 200)])
def test_damaged_postings_are_reported_when_read(index, name, value):
    array = np.load(index / f"{name}.npy")
    array[:] = value
    np.save(index / f"{name}.npy", array)
    with pytest.raises(ArtifactError, match="damaged"):
        Bm25.open(index).search(["cats"], 2)


def test_damaged_grades_are_reported_when_scored(index):
    np.save(index / "grades.npy", np.load(index / "grades.npy") + 200)
    with pytest.raises(ArtifactError, match="damaged"):
        Bm25.open(index).score(["cats"], np.zeros((1, 1), np.int64))

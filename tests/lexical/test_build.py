import numpy as np
import pytest

import densecli.lexical.build as module
from densecli.errors import ArtifactError, ResourceError
from densecli.lexical.analysis import Analysis
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build
from densecli.records import Passage
from in_workers import die

PASSAGES = [Passage(str(n), f"title {n % 7}", f"word{n} and word{n % 5} 東京") for n in range(23)]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 5)


@pytest.fixture
def whole(tmp_path):
    folder = tmp_path / "whole"
    folder.mkdir()
    build(PASSAGES, folder)
    return files(folder)


@pytest.mark.parametrize("workers", [1, 2])
def test_segments_and_workers_do_not_change_the_index(tmp_path, whole, small_blocks, workers):
    folder = tmp_path / "index"
    folder.mkdir()
    assert build(iter(PASSAGES), folder, workers=workers) == len(PASSAGES)
    assert files(folder) == whole


def interrupted(passages, after):
    yield from passages[:after]
    raise KeyboardInterrupt


def test_an_interrupted_run_is_resumed(tmp_path, whole, small_blocks, monkeypatch):
    folder = tmp_path / "index"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        build(interrupted(PASSAGES, 16), folder, plan="these", workers=1)
    assert {path.name for path in (folder / "segments").iterdir()} == {"plan", "000000", "000001", "000002"}
    made = []
    count = module.count_terms
    monkeypatch.setattr(module, "count_terms", lambda *given: made.append(given[2]) or count(*given))
    build(PASSAGES, folder, plan="these", workers=1)
    assert made == [15, 20]
    assert files(folder) == whole


@pytest.mark.parametrize("change", [{"plan": "others"}, {"plan": ""}, {"analysis": Analysis(stemmer="")}])
def test_segments_of_other_passages_or_settings_are_not_used(tmp_path, small_blocks, change):
    folder = tmp_path / "index"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        build(interrupted([Passage("x", "", "running mad")] * 20, 12), folder, plan="these", workers=1)
    build(PASSAGES, folder, workers=1, **({"plan": "these"} | change))
    assert "mad" not in (folder / "letters.npy").read_bytes().decode("latin-1")


def test_a_partial_segment_is_built_again(tmp_path, whole, small_blocks):
    folder = tmp_path / "index"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        build(interrupted(PASSAGES, 16), folder, plan="these", workers=1)
    (folder / "segments" / "000002").rename(folder / "segments" / "000002.partial")
    (folder / "segments" / "000002.partial" / "rows.npy").write_bytes(b"half")
    build(PASSAGES, folder, plan="these", workers=1)
    assert files(folder) == whole


def test_an_index_without_passages_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="no passages"):
        build([], tmp_path)


def test_passages_without_any_term_keep_their_rows(tmp_path):
    texts = ["", "!!!", "the", "cat", ""]
    build([Passage(str(n), "", text) for n, text in enumerate(texts)], tmp_path)
    bm25 = Bm25.open(tmp_path)
    assert len(bm25) == 5
    assert bm25.search(["cat"], 2)[0].tolist() == [[3, -1]]


def test_frequencies_and_lengths_above_255_are_stored(tmp_path):
    build([Passage("1", "", "cat " * 70_000), Passage("2", "", "cat dog")], tmp_path)
    rows, scores = Bm25.open(tmp_path).search(["cat"], 2)
    assert rows.tolist() == [[0, 1]]
    np.testing.assert_allclose(scores[0, 0], np.log(1 + 0.5 / 2.5) * 1.0, rtol=1e-4)


def test_a_killed_worker_is_reported(tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr(module, "_write_segment", die)
    with pytest.raises(ResourceError, match="ended by SIGKILL"):
        build(PASSAGES, tmp_path, workers=2)

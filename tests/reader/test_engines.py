"""A reader answers the same on every engine, and what can't be used is passed over with a word."""

from pathlib import Path

import pytest

from densecli.encoders.engines import Asked
from densecli.encoders.session import EngineError
from densecli.errors import ArtifactError
from densecli.models.folder import GRAPH
from densecli.observer import SILENT, Observer
from densecli.reader.engines import open_reader
from densecli.reader.torch_folder import open_reader_base, save_reader
from densecli.records import Passage
from heard import Heard

PASSAGES = [Passage("a", "king", "the king was born in the city"), Passage("b", "", "a song of the sea")]
AUTO = Asked("auto", "cpu", "fp32")


@pytest.fixture
def folder(tiny_base: Path, tmp_path: Path) -> Path:
    save_reader(open_reader_base(str(tiny_base), 64, 5, seed=1), tmp_path)
    return tmp_path


def read(folder: Path, asked: Asked = AUTO, single: bool = True, observer: Observer = SILENT) -> list[object]:
    spans = open_reader(folder, asked, single, 512, observer).read("who was born", PASSAGES, 3)
    return [(span.text, span.passage_id) for span in spans]


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch", "auto"])
@pytest.mark.parametrize("single", [True, False])
def test_every_engine_reads_the_same(folder: Path, engine: str, single: bool) -> None:
    found = read(folder, Asked(engine, "cpu", "fp32"), single)
    assert found
    assert found == read(folder)


def test_a_reader_without_a_graph_reads_in_torch_and_says_so(folder: Path) -> None:
    compiled = read(folder)
    (folder / "encoder" / GRAPH).unlink()
    heard = Heard()
    assert read(folder, observer=heard) == compiled
    (line,) = heard.warnings
    assert "has no graph" in line
    with pytest.raises(EngineError, match="has no graph for onnxruntime"):
        read(folder, Asked("onnxruntime"))


@pytest.mark.parametrize("single", [True, False])
def test_bfloat16_finds_the_same_passages(folder: Path, single: bool) -> None:
    found = read(folder, Asked("torch", "cpu", "bf16"), single)
    assert {passage for _, passage in found} == {passage for _, passage in read(folder)}


def test_one_question_loads_neither_torch_nor_openvino(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("densecli.reader.torch_folder.open_reader")
    monkeypatch.delattr("densecli.encoders.openvino_session.OpenVinoSession")
    assert read(folder)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such model folder"):
        read(tmp_path / "nowhere")

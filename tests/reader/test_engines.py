"""A reader answers the same on every engine, and an engine that cannot be used is skipped with a warning."""

from pathlib import Path
from typing import Any

import orjson
import pytest

import densecli
from densecli.encoders.engines import EngineRequest
from densecli.encoders.hardware import has_bfloat16
from densecli.encoders.session import EngineError
from densecli.errors import ArtifactError
from densecli.models.folder import GRAPH
from densecli.observer import SILENT, Observer
from densecli.reader.engines import open_reader
from densecli.reader.torch_folder import open_reader_base, save_reader
from densecli.records import Passage
from heard import Heard

PASSAGES = [Passage("a", "king", "the king was born in the city"), Passage("b", "", "a song of the sea")]
AUTO = EngineRequest("auto", "cpu", "fp32")


@pytest.fixture
def folder(tiny_base: Path, tmp_path: Path) -> Path:
    save_reader(open_reader_base(str(tiny_base), 64, 5, seed=1), tmp_path)
    return tmp_path


def read(
    folder: Path, request: EngineRequest = AUTO, single: bool = True, observer: Observer = SILENT
) -> list[object]:
    spans = open_reader(folder, request, single, 512, observer).read("who was born", PASSAGES, 3)
    return [(span.text, span.passage_id) for span in spans]


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch", "auto"])
@pytest.mark.parametrize("single", [True, False])
def test_every_engine_gives_the_same_answers(folder: Path, engine: str, single: bool) -> None:
    found = read(folder, EngineRequest(engine, "cpu", "fp32"), single)
    assert found
    assert found == read(folder)


def test_a_reader_without_a_graph_runs_in_torch_with_a_warning(folder: Path) -> None:
    compiled = read(folder)
    (folder / "encoder" / GRAPH).unlink()
    heard = Heard()
    assert read(folder, observer=heard) == compiled
    (line,) = heard.warnings
    assert "has no graph" in line
    with pytest.raises(EngineError, match="has no graph for onnxruntime"):
        read(folder, EngineRequest("onnxruntime"))


@pytest.mark.parametrize("single", [True, False])
def test_bfloat16_ranks_the_same_passages(folder: Path, single: bool) -> None:
    found = read(folder, EngineRequest("torch", "cpu", "bf16"), single)
    assert {passage for _, passage in found} == {passage for _, passage in read(folder)}


def test_a_single_question_loads_neither_torch_nor_openvino(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("densecli.reader.torch_folder.open_reader")
    monkeypatch.delattr("densecli.encoders.openvino_session.OpenVinoSession")
    assert read(folder)


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such model folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_answers_in_bfloat16_match_float32(engine: str) -> None:
    """Those of the reader that ships, to questions of the sample; one near tie may go the other way."""
    if not has_bfloat16():
        pytest.skip("no bfloat16 on this CPU")
    package = Path(densecli.__file__).parent
    articles = rows(package / "sample" / "articles.jsonl")
    asked = rows(package / "sample" / "questions.test.jsonl")[:12]
    answers = {}
    for precision in ("fp32", "bf16"):
        reader = open_reader(package / "starter" / "reader", EngineRequest(engine, "cpu", precision), False)
        found = [reader.read(one["question"], passages_with(articles, one["answers"]), 1) for one in asked]
        answers[precision] = [spans[0].text for spans in found]
    differ = sum(one != other for one, other in zip(answers["fp32"], answers["bf16"], strict=True))
    assert differ <= 1


def rows(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def passages_with(articles: list[Any], answers: list[str]) -> list[Passage]:
    """Return the beginnings of three articles, one of them with an answer in it if there is one."""
    having = [one for one in articles if any(answer in one["text"][:600] for answer in answers)]
    return [Passage(one["id"], one["title"], one["text"][:600]) for one in (having[:1] + articles)[:3]]

"""Reading on the compiled runtime, against torch."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from densecli.encoders.engines import EngineRequest
from densecli.encoders.onnx_session import OnnxSession
from densecli.errors import ArtifactError
from densecli.models.compact import compact
from densecli.models.folder import ReaderConfig
from densecli.reader import engines
from densecli.reader.runtime import Reader
from densecli.reader.torch_folder import open_reader, open_reader_base, save_reader
from densecli.records import Passage

QUESTION = "who wrote the song of the sea?"
PASSAGES = [
    Passage("a", "The Sea", "The song of the sea was written by Ann Wood in 1931."),
    Passage("b", "", "Short."),
    Passage("c", "A river", "and so on, " * 60),
    Passage("d", "Nothing", ""),
    Passage("e", "City", "Born in the city of Ur, king Zed wrote no song."),
]


def opened(folder: Path, batch_tokens: int = 4096) -> Reader:
    return Reader.open(folder, OnnxSession, batch_tokens)


def close(one, other):
    assert [(s.text, s.passage_id, s.start, s.end) for s in one] == [
        (s.text, s.passage_id, s.start, s.end) for s in other
    ]
    for left, right in zip(one, other, strict=True):
        assert left.span_score == pytest.approx(right.span_score, abs=1e-4)
        assert left.passage_score == pytest.approx(right.passage_score, abs=1e-4)


@pytest.fixture(scope="module")
def marked(tiny_base, tmp_path_factory) -> Path:
    """A reader whose heads are large enough to set spans and passages well apart."""
    reader = open_reader_base(str(tiny_base), max_tokens=96, max_answer_tokens=8, seed=3)
    with torch.no_grad():
        for head in (reader.model.qa_outputs, reader.model.qa_classifier):
            head.weight *= 50
            head.bias += 0.5
    folder = tmp_path_factory.mktemp("models") / "marked"
    save_reader(reader, folder)
    return folder


def test_compiled_and_torch_readers_give_the_same_answers(marked):
    expected = open_reader(marked).reading(torch.float32).read(QUESTION, PASSAGES, 20)
    found = opened(marked).read(QUESTION, PASSAGES, 20)
    assert len(found) == 20
    close(found, expected)


def test_compact_weights_give_the_same_answers_in_both_engines(marked, tmp_path):
    compact(marked, tmp_path / "small", ReaderConfig)
    expected = open_reader(tmp_path / "small").reading(torch.float32).read(QUESTION, PASSAGES, 9)
    close(opened(tmp_path / "small").read(QUESTION, PASSAGES, 9), expected)


def test_batches_do_not_change_the_answers(marked):
    small, large = (opened(marked, size) for size in (16, 1 << 20))
    close(small.read(QUESTION, PASSAGES, 9), large.read(QUESTION, PASSAGES, 9))


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
def test_many_questions_are_answered_as_one_by_one(marked, engine):
    """In order, whatever their passages, and though an engine is given those of later questions before."""
    reader = engines.open_reader(marked, EngineRequest(engine, "cpu", "fp32"), batch_tokens=100)
    asked = [(QUESTION, PASSAGES[:n]) for n in (3, 0, 5, 1, 0)]
    expected = [opened(marked).read(*one, 4) for one in asked]
    for found, alone in zip(reader.read_all(asked, 4), expected, strict=True):
        close(found, alone)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_an_answer_does_not_wait_for_the_next_question(marked, engine):
    reader = engines.open_reader(marked, EngineRequest(engine, "cpu", "fp32"))
    given: list[int] = []

    def asked():
        for number, passages in enumerate((PASSAGES, [], PASSAGES)):
            given.append(number)
            yield QUESTION, passages

    answered = []
    for spans in reader.read_all(asked(), 2, lambda: False):
        answered.append(len(spans))
        assert len(given) == len(answered)
    assert answered == [2, 0, 2]


def test_spans_are_sorted_by_relevance(marked):
    found = opened(marked).read(QUESTION, PASSAGES, 4)
    scores = [span.passage_score for span in found]
    assert scores == sorted(scores, reverse=True)
    assert {span.passage_id for span in found} == {"a", "b", "c", "e"}
    texts = {passage.id: passage.text for passage in PASSAGES}
    assert all(texts[span.passage_id][span.start : span.end] == span.text for span in found)


def test_without_passages_there_are_no_spans(marked):
    assert opened(marked).read(QUESTION, [], 3) == []


def test_weights_that_are_not_finite_are_named(marked, tmp_path):
    folder = Path(shutil.copytree(marked, tmp_path / "copy"))
    weights = folder / "encoder" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    length = int.from_bytes(data[:8], "little")
    begin = json.loads(data[8 : 8 + length])["qa_classifier.bias"]["data_offsets"][0]
    data[8 + length + begin : 12 + length + begin] = np.float32("nan").tobytes()
    weights.write_bytes(data)
    with pytest.raises(ArtifactError, match="not finite"):
        opened(folder).read(QUESTION, PASSAGES, 1)


def test_a_model_card_with_more_tokens_than_positions_is_refused(marked, tmp_path):
    folder = Path(shutil.copytree(marked, tmp_path / "copy"))
    model_config = json.loads((folder / "model.json").read_bytes())
    (folder / "model.json").write_text(json.dumps(model_config | {"max_tokens": 513}))
    with pytest.raises(ArtifactError, match="max_tokens is 513"):
        opened(folder)


def test_a_missing_head_is_named(marked, tmp_path):
    folder = Path(shutil.copytree(marked, tmp_path / "copy"))
    weights = folder / "encoder" / "weights.safetensors"
    state = load_file(weights)
    del state["qa_classifier.weight"]
    save_file(state, weights)
    with pytest.raises(ArtifactError, match=r"qa_classifier.weight of shape \(1, 32\) is missing"):
        opened(folder)


def test_reading_needs_no_torch(marked):
    code = (
        "import sys; from pathlib import Path; from densecli.reader.engines import open_reader;"
        "from densecli.records import Passage; from densecli.reader.read import read;"
        f"open_reader(Path({str(marked)!r})).read('who?', [Passage('1', 'Sea', 'a king')], 1);"
        "sys.exit(bool({'torch', 'transformers', 'faiss'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""A reader answers the same on every engine."""

from dataclasses import replace

import pytest

from densecli.configs.asking import ReadConfig
from densecli.encoders.compiled.tower import CompiledTower
from densecli.encoders.folder import GRAPH
from densecli.reader.torch_folder import open_reader_base, save_reader
from densecli.records import Passage
from densecli.workflows.engines import open_reader

FP32 = ReadConfig(device="cpu", precision="fp32")
PASSAGES = [Passage("a", "king", "the king was born in the city"), Passage("b", "", "a song of the sea")]


@pytest.fixture
def folder(tiny_base, tmp_path):
    save_reader(open_reader_base(str(tiny_base), 64, 5, seed=1), tmp_path)
    return tmp_path


def read(folder, config=FP32, single=True):
    spans = open_reader(folder, config, single).read("who was born", PASSAGES, 3, 512)
    return [(span.text, span.passage_id) for span in spans]


def test_a_reader_without_a_graph_reads_in_torch(folder):
    compiled = read(folder)
    (folder / "encoder" / GRAPH).unlink()
    assert compiled
    assert read(folder) == compiled


@pytest.mark.parametrize("single", [True, False])
def test_bf16_is_read_in_torch_and_finds_the_same_passages(folder, single, monkeypatch):
    compiled = read(folder)
    monkeypatch.delattr(CompiledTower, "hidden")
    assert {passage for _, passage in read(folder, replace(FP32, precision="bf16"), single)} == {
        passage for _, passage in compiled
    }


def test_many_questions_in_fp32_on_a_cpu_take_the_compiled_form(folder, monkeypatch):
    monkeypatch.delattr("densecli.reader.torch_folder.open_reader")
    assert read(folder, single=False) == read(folder)

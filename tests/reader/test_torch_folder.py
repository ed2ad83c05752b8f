"""Reader folders: what goes in comes out, and nothing is made up."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import open_base
from densecli.errors import ArtifactError, UsageError
from densecli.models.compact import compact
from densecli.models.folder import ReaderConfig, read_model_config
from densecli.models.reader_heads import Heads
from densecli.reader.torch_folder import TorchReader, open_reader, open_reader_base, save_reader


def base(source: Path, max_tokens: int = 96, seed: int = 3) -> TorchReader:
    return open_reader_base(str(source), max_tokens, max_answer_tokens=8, seed=seed)


def same(one: TorchReader, other: TorchReader) -> bool:
    left, right = one.model.state_dict(), other.model.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def change(weights: Path, name: str, value: np.ndarray | None) -> None:
    state = load_file(weights)
    state.pop(name)
    save_file(state if value is None else state | {name: value}, weights)


@pytest.fixture
def copied(tiny_reader: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_reader, tmp_path / "copy"))


def test_a_saved_reader_is_loaded_unchanged(tiny_base, tiny_reader):
    assert same(open_reader(tiny_reader), base(tiny_base))
    assert read_model_config(tiny_reader, ReaderConfig) == ReaderConfig(max_tokens=96, max_answer_tokens=8)


def test_new_heads_are_small_random_numbers_from_the_seed(tiny_base):
    one, again, other = base(tiny_base), base(tiny_base), base(tiny_base, seed=4)
    assert same(one, again)
    assert not same(one, other)
    weights = torch.cat([one.model.qa_outputs.weight, one.model.qa_classifier.weight])
    assert weights.std().item() == pytest.approx(0.02, rel=0.3)
    assert not one.model.qa_outputs.bias.any()
    assert not one.model.qa_classifier.bias.any()


def test_training_a_reader_further_keeps_its_heads(tiny_reader):
    assert same(base(tiny_reader, seed=99), open_reader(tiny_reader))


def test_a_reader_has_the_lengths_of_its_training(tiny_reader):
    reader = base(tiny_reader, max_tokens=200)
    assert (reader.model_config.max_tokens, reader.model_config.max_answer_tokens) == (200, 8)


def test_a_reader_can_start_from_the_passage_tower_of_a_retriever(tiny_base, tmp_path):
    towers = open_base(str(tiny_base), None, 64, 256)
    with torch.no_grad():
        for weight in towers.question.parameters():
            weight += 1
    save_retriever(towers, tmp_path / "retriever")
    encoder = base(tmp_path / "retriever").model.encoder.state_dict()
    for name, weight in towers.passage.model.state_dict().items():
        assert torch.equal(encoder[name], weight)


def test_more_tokens_than_positions_are_refused(tiny_base):
    with pytest.raises(UsageError, match=r"`max_tokens` is 513.*512"):
        base(tiny_base, max_tokens=513)


@pytest.mark.parametrize("name", ["qa_outputs.weight", "qa_classifier.bias", "embeddings.LayerNorm.bias"])
def test_a_missing_weight_is_an_error(copied, name):
    change(copied / "encoder" / "weights.safetensors", name, None)
    with pytest.raises(ArtifactError, match=f"{name}.* is missing"):
        open_reader(copied)
    with pytest.raises(ArtifactError, match=f"{name}.* is missing"):
        base(copied)


def test_a_head_of_another_shape_is_refused(copied):
    change(copied / "encoder" / "weights.safetensors", "qa_outputs.weight", np.zeros((3, 32), np.float32))
    with pytest.raises(ArtifactError, match=r"qa_outputs.weight has shape \(3, 32\)"):
        open_reader(copied)


def test_a_retriever_is_not_opened_as_a_reader(tiny_retriever):
    with pytest.raises(ArtifactError, match="a reader is needed"):
        open_reader(tiny_retriever)


def test_a_compact_reader_keeps_its_heads(tiny_base, tmp_path):
    reader = base(tiny_base)
    torch.nn.init.normal_(reader.model.qa_outputs.bias)
    save_reader(reader, tmp_path / "full")
    compact(tmp_path / "full", tmp_path / "small", ReaderConfig)
    small = open_reader(tmp_path / "small").model.state_dict()
    for name, weight in reader.model.state_dict().items():
        tolerance = weight.abs().amax(-1, keepdim=True) / 127 if weight.ndim == 2 else 1e-9
        assert ((small[name] - weight).abs() <= tolerance).all(), name
    heads = Heads.open(tmp_path / "small" / "encoder" / "weights.safetensors")
    assert np.array_equal(heads.span_weight, small["qa_outputs.weight"].numpy())
    assert np.array_equal(heads.relevance_bias, small["qa_classifier.bias"].numpy())


def test_a_reader_and_a_retriever_share_their_frozen_words(tiny_base, tiny_retriever, tmp_path):
    save_reader(base(tiny_base), tmp_path / "reader")
    shared = tmp_path / "words.safetensors"
    compact(tmp_path / "reader", tmp_path / "small", ReaderConfig, shared)
    assert read_model_config(tmp_path / "small", ReaderConfig).words == {"encoder": "../words.safetensors"}
    assert not (tmp_path / "small" / "encoder" / "words.safetensors").exists()
    open_reader(tmp_path / "small")

import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from safetensors.numpy import save_file

from densecli.encoders.length_batches import pad
from densecli.encoders.onnx_session import OnnxSession
from densecli.encoders.torch_load import load_tower
from densecli.encoders.tower import CompiledTower, stored_tower
from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.tower_files import write_tower
from densecli.models.weights import load_state, save_state

IDS = [[2, 5, 6, 7, 8, 9, 3], [2, 30, 3], [2, 11, 12, 13, 3]]


def opened(tower: Path, words: Path) -> CompiledTower:
    return CompiledTower(stored_tower(tower, words), OnnxSession)


def tower_at(folder: Path, source: Path, activation: str = "gelu", compact: bool = False) -> Path:
    """A copy of a tower, compiled again with another activation or 8-bit rows."""
    config = {**read_config(source), "hidden_act": activation}
    write_tower(folder, config, load_state(source / "weights.safetensors"), compact)
    save_state(folder / "words.safetensors", load_state(source / "words.safetensors"), compact)
    return folder


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_compiled_and_torch_towers_agree(
    tiny_retriever: Path, tmp_path: Path, activation: str, compact: bool
) -> None:
    tower = tower_at(tmp_path / "tower", tiny_retriever / "question", activation, compact)
    words = tower / "words.safetensors"
    ((found, mask),) = opened(tower, words).hidden([IDS])
    model, _ = load_tower(tower, words)
    ids, _ = pad(IDS, 0)
    with torch.inference_mode():
        expected = model.eval()(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state.numpy()
    assert found.shape == (3, 7, 32)
    assert np.abs((found - expected)[mask == 1]).max() < 1e-4
    assert np.abs(expected).max() > 0.5


def test_padding_does_not_change_vectors(tiny_retriever: Path) -> None:
    tower = opened(tiny_retriever / "question", tiny_retriever / "question" / "words.safetensors")
    (together, _), (alone, _) = tower.hidden([IDS, [IDS[1]]])
    np.testing.assert_allclose(together[1, :3], alone[0], atol=1e-5)


def test_other_architectures_are_not_compiled(tiny_retriever: Path, tmp_path: Path) -> None:
    assert (tiny_retriever / "question" / "graph.onnx").is_file()
    tower = tower_at(tmp_path / "tower", tiny_retriever / "question", activation="silu")
    assert not (tower / "graph.onnx").exists()


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "graph.onnx", "words.safetensors"])
def test_every_file_is_needed(tiny_retriever: Path, tmp_path: Path, name: str) -> None:
    tower = shutil.copytree(tiny_retriever / "question", tmp_path / "tower")
    (tower / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name}: the .* missing"):
        opened(tower, tower / "words.safetensors")


def test_weights_of_another_shape_are_named(tiny_retriever: Path, tmp_path: Path) -> None:
    tower = shutil.copytree(tiny_retriever / "question", tmp_path / "tower")
    state = load_state(tower / "weights.safetensors")
    state["encoder.layer.1.output.dense.weight"] = np.zeros((32, 63), np.float32)
    save_state(tower / "weights.safetensors", state)
    with pytest.raises(
        ArtifactError, match=r"encoder\.layer\.1\.output\.dense\.weight has shape \(32, 63\).*\(32, 64\)"
    ):
        opened(tower, tower / "words.safetensors")


def test_a_word_table_of_another_model_is_refused(tiny_retriever: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.safetensors"
    save_state(words, {"embeddings.word_embeddings.weight": np.zeros((9, 32), np.float32)})
    with pytest.raises(ArtifactError, match=r"shape \(9, 32\)"):
        opened(tiny_retriever / "question", words)


def test_weights_in_another_layout_are_not_used_by_the_compiled_tower(
    tiny_retriever: Path, tmp_path: Path
) -> None:
    tower = shutil.copytree(tiny_retriever / "question", tmp_path / "tower")
    state = load_state(tower / "weights.safetensors")
    save_file(state, tower / "weights.safetensors", {"note": "a longer header moves every weight"})
    with pytest.raises(ArtifactError, match=r"compiled for another weights\.safetensors"):
        opened(tower, tower / "words.safetensors")


def test_a_damaged_graph_is_refused(tiny_retriever: Path, tmp_path: Path) -> None:
    tower = shutil.copytree(tiny_retriever / "question", tmp_path / "tower")
    graph = tower / "graph.onnx"
    graph.write_bytes(graph.read_bytes()[:500])
    with pytest.raises(ArtifactError, match=r"graph\.onnx: damaged, or of another version"):
        opened(tower, tower / "words.safetensors")
    (tower / "config.json").write_bytes(orjson.dumps({"hidden_size": 32}))
    with pytest.raises(ArtifactError, match="no 'model_type'"):
        opened(tower, tower / "words.safetensors")

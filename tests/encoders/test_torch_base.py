import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from densecli.encoders.torch_base import open_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.errors import ArtifactError, UsageError
from densecli.models import hub
from densecli.models.foreign.hugging_face import read_weights

QUERY = "encoder.layer.0.attention.self.query.weight"


@pytest.fixture
def base(tiny_base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_base, tmp_path / "base")


def rewrite(folder: Path, name: str, weight: np.ndarray | None) -> None:
    path = folder / "model.safetensors"
    state = load_file(path)
    state.pop(name)
    save_file(state if weight is None else {**state, name: weight}, path, {"format": "pt"})


def test_a_missing_weight_is_an_error(base: Path) -> None:
    rewrite(base, QUERY, None)
    with pytest.raises(ArtifactError, match=rf"weight {QUERY} of shape \(32, 32\) is missing"):
        open_retriever(str(base))


def test_a_wrong_shape_is_reported_with_both_shapes(base: Path) -> None:
    rewrite(base, QUERY, np.zeros((32, 16), np.float32))
    with pytest.raises(ArtifactError, match=rf"weight {QUERY} has shape \(32, 16\); .* \(32, 32\)"):
        open_retriever(str(base))


def test_a_value_that_is_not_finite_is_refused(base: Path) -> None:
    rewrite(base, QUERY, np.full((32, 32), np.nan, np.float32))
    with pytest.raises(ArtifactError, match=rf"weight {QUERY} holds values"):
        open_retriever(str(base))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("config.json", r"config\.json: the model's config is missing"),
        ("model.safetensors", "without weights"),
        ("tokenizer.json", "no vocabulary"),
    ],
)
def test_a_folder_without_a_part_is_refused(base: Path, name: str, told: str) -> None:
    (base / name).unlink()
    with pytest.raises(ArtifactError, match=told):
        open_retriever(str(base))


def test_a_tokenizer_of_another_model_is_refused(base: Path) -> None:
    tokenizer = json.loads((base / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["elsewhere"] = 5000
    (base / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ArtifactError, match="they belong to two models"):
        open_retriever(str(base))


def test_damaged_weights_are_refused(base: Path) -> None:
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        open_retriever(str(base))


@pytest.mark.parametrize("tower", ["question", "passage"])
def test_a_model_folder_with_missing_or_extra_weights_is_refused(
    tiny_retriever: Path, tmp_path: Path, tower: str
) -> None:
    folder = shutil.copytree(tiny_retriever, tmp_path / "model")
    path = folder / tower / "weights.safetensors"
    state = load_file(path)
    save_file({name: weight for name, weight in state.items() if name != QUERY}, path)
    with pytest.raises(ArtifactError, match=rf"{tower}/weights\.safetensors: weight {QUERY} .* missing"):
        open_retriever(str(folder))
    save_file({**state, "extra": np.zeros(3, np.float32)}, path)
    with pytest.raises(ArtifactError, match=r"weight extra .* not part"):
        open_retriever(str(folder))


def test_old_names_in_a_checkpoint_are_accepted(base: Path) -> None:
    path = base / "model.safetensors"
    old = {
        "embeddings.position_ids": np.arange(512)[None],
        "pooler.dense.weight": np.zeros((32, 32), np.float32),
        "cls.predictions.bias": np.zeros(9, np.float32),
    }
    save_file({**load_file(path), **old}, path, {"format": "pt"})
    names = open_retriever(str(base)).question.state_dict()
    assert not [name for name in names if "pooler" in name]


def pickled(base: Path, zipped: bool = True, **more: Any) -> dict[str, torch.Tensor]:
    """Replace the weights of a base by a file of torch, with more in it; return them."""
    held = {k: torch.from_numpy(v) for k, v in load_file(base / "model.safetensors").items()}
    (base / "model.safetensors").unlink()
    torch.save({**held, **more}, base / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    return held


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_weights_are_read(base: Path, zipped: bool) -> None:
    expected = pickled(base, zipped)
    found = open_retriever(str(base)).question.state_dict()
    assert all(torch.equal(found[f"model.{name}"], weight) for name, weight in expected.items())


def test_pickled_weights_in_bfloat16_become_float32(base: Path) -> None:
    short = torch.randn(32).bfloat16()
    pickled(base, **{"embeddings.LayerNorm.weight": short})
    found = open_retriever(str(base)).question.state_dict()
    assert torch.equal(found["model.embeddings.LayerNorm.weight"], short.float())


class Harm:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_pickled_weights_execute_nothing(base: Path, tmp_path: Path) -> None:
    pickled(base, harm=Harm(tmp_path / "harm"))
    with pytest.raises(ArtifactError, match=r"pytorch_model\.bin: the pickle wants posix\.mkdir"):
        open_retriever(str(base))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [({"step": 3}, "holds more than weights"), ({"x": torch.ones(1).expand(9)}, "reaches over the end")],
)
def test_pickled_weights_that_are_not_tensors_are_refused(
    base: Path, more: dict[str, Any], message: str
) -> None:
    pickled(base, **more)
    with pytest.raises(ArtifactError, match=message):
        open_retriever(str(base))


def test_weight_files_of_another_precision_are_ignored(base: Path) -> None:
    state = load_file(base / "model.safetensors")
    save_file({name: 2 * weight for name, weight in state.items()}, base / "model_other.safetensors")
    np.testing.assert_array_equal(read_weights(base)[QUERY], state[QUERY])
    assert torch.equal(
        open_retriever(str(base)).question.state_dict()[f"model.{QUERY}"], torch.from_numpy(state[QUERY])
    )


@pytest.mark.parametrize("names", [{"a": "../model.safetensors"}, {}, None, ["model.safetensors"]])
def test_an_index_of_weight_files_cannot_leave_its_folder(base: Path, names: object) -> None:
    (base / "model.safetensors").rename(base.parent / "model.safetensors")
    (base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    for read in (read_weights, lambda folder: open_retriever(str(folder))):
        with pytest.raises(ArtifactError, match=r"index\.json: lists no files of this folder"):
            read(base)


def test_the_towers_of_a_base_are_independent(tiny_base: Path) -> None:
    base = open_base(str(tiny_base), None, 64, 256)
    ours, theirs = (dict(tower.named_parameters()) for tower in (base.question, base.passage))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not {weight.data_ptr() for weight in ours.values()} & {
        weight.data_ptr() for weight in theirs.values()
    }


def test_a_normalizing_base_is_trained_with_cosine_unless_changed(base: Path) -> None:
    kinds = "Transformer", "Pooling", "Normalize"
    modules = [{"type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    (base / "modules.json").write_text(json.dumps(modules))
    (base / "1_Pooling").mkdir()
    (base / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    assert open_retriever(str(base)).model_config.normalize
    opened = open_base(str(base), None, 64, 256)
    assert (opened.model_config.similarity, opened.passage.model_config.normalize) == ("cosine", True)
    opened = open_base(str(base), None, 64, 256, Change(similarity="dot"))
    assert (opened.model_config.similarity, opened.passage.model_config.normalize) == ("dot", False)


def test_options_that_contradict_the_base_are_refused(tiny_base: Path, tiny_retriever: Path) -> None:
    assert open_base(str(tiny_base), "mean", 64, 256).question.model_config.pooling == "mean"
    with pytest.raises(UsageError, match="`pooling` mean contradicts"):
        open_base(str(tiny_retriever), "mean", 64, 256)
    with pytest.raises(UsageError, match=r"`max_passage_tokens` is 600; .* positions for 512"):
        open_base(str(tiny_base), None, 64, 600)


def test_an_unreachable_hub_is_reported_immediately(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    begun = time.monotonic()
    with pytest.raises(ArtifactError, match="out of reach; name `starter`"):
        open_retriever("densecli-tests/no-such-model")
    assert time.monotonic() - begun < 3
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ArtifactError, match="HF_HUB_OFFLINE is set"):
        open_retriever("densecli-tests/no-such-model")


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/place", "a/b/c", "a--b", ""])
def test_a_base_that_is_neither_folder_nor_name_is_refused(name: str) -> None:
    with pytest.raises(ArtifactError, match="no such model folder"):
        open_retriever(name)

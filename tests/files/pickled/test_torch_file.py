import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from densecli.errors import ArtifactError
from densecli.files.pickled.torch_file import Settings, read_torch_file

GOLDEN = Path(__file__).parents[2] / "golden"
FORMS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])


def saved(value: Any, path: Path, zipped: bool = True) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


@FORMS
def test_tensors_match_torch(tmp_path: Path, zipped: bool) -> None:
    base = torch.randn(4, 5)
    held = {
        "plain": base,
        "transposed": base.T,
        "part": base[1:3, 2:4],
        "half": torch.randn(3).half(),
        "whole numbers": torch.arange(6).reshape(2, 3),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.randn(2)),
        "flags": torch.tensor([True, False]),
    }
    found = read_torch_file(saved(held, tmp_path / "w.bin", zipped))
    assert list(found) == list(held)
    for name, tensor in held.items():
        np.testing.assert_array_equal(found[name].read(), tensor.detach().numpy(), err_msg=name)


@FORMS
def test_files_that_torch_considers_safe_are_read_the_same(tmp_path: Path, zipped: bool) -> None:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    path = saved({"model": model.state_dict(), "optim": optimizer.state_dict()}, tmp_path / "c.pt", zipped)
    mine, theirs = read_torch_file(path), torch.load(path, weights_only=True)
    for name, tensor in theirs["model"].items():
        np.testing.assert_array_equal(mine["model"][name].read(), tensor.numpy())
    assert mine["optim"]["param_groups"][0]["lr"] == theirs["optim"]["param_groups"][0]["lr"]


def test_objects_of_omegaconf_are_read() -> None:
    held = read_torch_file(GOLDEN / "tiny_biencoder.hydra.cp")["encoder_params"]
    assert isinstance(held["encoder"], Settings)
    assert held["encoder"].plain == {
        "encoder_model_type": "hf_bert",
        "pretrained_model_cfg": "bert-base-uncased",
        "pretrained_file": None,
        "projection_dim": 0,
        "sequence_length": 24,
        "dropout": 0.1,
        "fix_ctx_encoder": False,
        "pretrained": True,
    }


class Harm:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


@FORMS
def test_a_hostile_checkpoint_is_refused_and_nothing_runs(tmp_path: Path, zipped: bool) -> None:
    path = saved({"model_dict": Harm(tmp_path / "harm")}, tmp_path / "h.cp", zipped)
    with pytest.raises(ArtifactError, match=r"h\.cp: the pickle wants posix\.system"):
        read_torch_file(path)
    assert not (tmp_path / "harm").exists()


def test_whole_modules_and_other_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"wants torch\.nn\.modules\.linear\.Linear"):
        read_torch_file(saved(torch.nn.Linear(2, 2), tmp_path / "m.pt"))


def repacked(source: Path, target: Path, kind: int, change: dict[str, bytes | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", kind) as new:
        for name in old.namelist():
            data = change.get(name.split("/", 1)[1], old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def test_archives_that_torch_would_not_write_are_refused(tmp_path: Path) -> None:
    path = saved({"w": torch.zeros(1 << 16)}, tmp_path / "w.pt")
    bomb = repacked(path, tmp_path / "bomb.pt", zipfile.ZIP_DEFLATED, {})
    with pytest.raises(ArtifactError, match="is compressed"):
        read_torch_file(bomb)
    short = repacked(path, tmp_path / "short.pt", zipfile.ZIP_STORED, {"data/0": b"1234"})
    with pytest.raises(ArtifactError, match="'0' are missing or cut off"):
        read_torch_file(short)
    bare = repacked(path, tmp_path / "bare.pt", zipfile.ZIP_STORED, {"data.pkl": None})
    with pytest.raises(ArtifactError, match=r"an archive with 0 data\.pkl"):
        read_torch_file(bare)
    other = repacked(path, tmp_path / "big.pt", zipfile.ZIP_STORED, {"byteorder": b"big"})
    with pytest.raises(ArtifactError, match="big-endian"):
        read_torch_file(other)


@FORMS
def test_a_small_file_does_not_expand_to_a_large_tensor(tmp_path: Path, zipped: bool) -> None:
    path = saved({"w": torch.zeros(1).expand(1 << 40)}, tmp_path / "w.pt", zipped)
    with pytest.raises(ArtifactError, match="reaches over the end"):
        read_torch_file(path)


@FORMS
def test_a_file_truncated_anywhere_is_reported(tmp_path: Path, zipped: bool) -> None:
    path = saved({"w": torch.randn(50), "v": torch.randn(3)}, tmp_path / "w.pt", zipped)
    whole = path.read_bytes()
    for size in [0, 3, 14, 40, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match=r"w\.pt: "):
            read_torch_file(path)


def test_a_file_that_is_not_from_torch_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.cp"
    with pytest.raises(ArtifactError, match="no such file"):
        read_torch_file(path)
    path.write_bytes(pickle.dumps({"model_dict": {}}))
    with pytest.raises(ArtifactError, match=r"not a file of torch\.save"):
        read_torch_file(path)


@FORMS
def test_bfloat16_is_widened(tmp_path: Path, zipped: bool) -> None:
    held = {
        "w": torch.randn(3, 5).bfloat16().T,
        "one": torch.tensor(1.5).bfloat16(),
        "none": torch.zeros(0, 2).bfloat16(),
    }
    found = read_torch_file(saved(held, tmp_path / "w.bin", zipped))
    for name, tensor in held.items():
        assert found[name].read().dtype == np.float32
        np.testing.assert_array_equal(found[name].read(), tensor.float().numpy())

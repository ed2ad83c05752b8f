"""Models by their names on the Hub, out of its cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from densecli.configs.training import TrainConfig
from densecli.errors import ArtifactError
from densecli.models.hub import hub_names, local_folder
from hub_server import serving


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hub's cache, empty, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def put(cache: Path, name: str, model: Path) -> Path:
    """Put a model into the cache as the Hub's client does; return its folder there."""
    place = cache / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("a" * 40)
    return Path(shutil.copytree(model, place / "snapshots" / ("a" * 40)))


def test_the_default_encoder_has_an_owner() -> None:
    assert hub_names(TrainConfig().encoder)[0] == TrainConfig().encoder == "google-bert/bert-base-uncased"


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ("bert-base-cased", ["google-bert/bert-base-cased", "bert-base-cased"]),
        ("roberta-base", ["FacebookAI/roberta-base", "roberta-base"]),
        ("xlm-roberta-base", ["FacebookAI/xlm-roberta-base", "xlm-roberta-base"]),
        ("distilbert/distilroberta-base", ["distilbert/distilroberta-base", "distilroberta-base"]),
        ("someone/bert-base-uncased", ["someone/bert-base-uncased"]),
        ("gpt2", ["gpt2"]),
    ],
)
def test_a_name_without_an_owner_is_an_old_name(named: str, names: list[str]) -> None:
    assert hub_names(named) == names


@pytest.mark.parametrize("held", ["bert-base-uncased", "google-bert/bert-base-uncased"])
@pytest.mark.parametrize("named", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_a_cached_model_is_found_under_both_names(
    cache: Path, tiny_base: Path, held: str, named: str
) -> None:
    folder = put(cache, held, tiny_base)
    assert local_folder(named) == folder


def test_another_owner_is_another_model(cache: Path, tiny_base: Path) -> None:
    put(cache, "bert-base-uncased", tiny_base)
    with pytest.raises(ArtifactError, match="someone/bert-base-uncased: not on this disk"):
        local_folder("someone/bert-base-uncased")


FIND = "import sys; from densecli.models.hub import local_folder; print(local_folder(sys.argv[1]))"


def found(home: Path, **environment: str) -> Path:
    """The folder of a/model for a process with the cache in `home`."""
    settings = {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "no_proxy": "127.0.0.1", **environment}
    command = [sys.executable, "-c", FIND, "a/model"]
    run = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return Path(run.stdout.strip())


def test_a_model_that_was_fetched_is_found_again_without_a_network(tiny_base: Path, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in tiny_base.iterdir()}
    rest = {"README.md": b"a card", "onnx/model.onnx": b"not wanted", "pytorch_model.bin": b"not wanted"}
    with serving() as host:
        host.add_repo("a/model", "c" * 40, {**files, **rest})
        fetched = found(tmp_path, HF_ENDPOINT=host.url, HF_HUB_OFFLINE="0")
        assert {path.name for path in fetched.iterdir()} == set(files)
        asked = len(host.asked)
        assert found(tmp_path, HF_ENDPOINT=host.url, HF_HUB_OFFLINE="0") == fetched
        assert len(host.asked) == asked
    assert found(tmp_path, HF_HUB_OFFLINE="1") == fetched


def test_a_partial_copy_of_another_program_is_completed(tiny_base: Path, tmp_path: Path) -> None:
    """It may lack what says how states are pooled."""
    files = {path.name: path.read_bytes() for path in tiny_base.iterdir()}
    modules = {"modules.json": b"[]", "1_Pooling/config.json": b"{}"}
    partial = put(tmp_path / "hub", "a/model", tiny_base)
    with serving() as host:
        host.add_repo("a/model", "a" * 40, {**files, **modules})
        assert found(tmp_path, HF_HUB_OFFLINE="1") == partial
        assert found(tmp_path, HF_ENDPOINT=host.url, HF_HUB_OFFLINE="0") == partial
    assert (partial / "modules.json").exists()
    assert (partial / "1_Pooling" / "config.json").exists()

"""Models by their names on the Hub, out of its cache."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

from densecli.configs.training import TrainConfig
from densecli.errors import ArtifactError
from densecli.models.hub import hub_names, local_folder


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

from pathlib import Path

import numpy as np
import pytest

from densecli.encoders.engines import open_question_encoder
from densecli.encoders.torch_retriever import TorchQuestionEncoder
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import open_base
from densecli.errors import ArtifactError
from densecli.models.compact import compact
from densecli.models.folder import RetrieverConfig, read_model_config
from densecli.models.weights import load_state, save_state

QUESTIONS = ["who was king of the sea", "where is the river"]


def test_a_compact_model_gives_nearly_the_same_vectors_in_both_engines(
    tiny_retriever: Path, tmp_path: Path
) -> None:
    compact(tiny_retriever, tmp_path / "small", RetrieverConfig)
    full = open_question_encoder(tiny_retriever).encode(QUESTIONS)
    small = open_question_encoder(tmp_path / "small").encode(QUESTIONS)
    cosines = (full * small).sum(1) / np.linalg.norm(full, axis=1) / np.linalg.norm(small, axis=1)
    assert cosines.min() > 0.999
    assert np.abs(full - small).max() > 1e-4
    np.testing.assert_allclose(TorchQuestionEncoder(tmp_path / "small").encode(QUESTIONS), small, atol=1e-4)


def test_models_share_one_word_table_file(tiny_retriever: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.safetensors"
    for name in ("one", "two"):
        compact(tiny_retriever, tmp_path / name, RetrieverConfig, words)
    assert read_model_config(tmp_path / "two", RetrieverConfig).words == {
        "question": "../words.safetensors", "passage": "../words.safetensors",
    }  # fmt: skip
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("words*")} == {
        "words.safetensors"
    }
    assert open_question_encoder(tmp_path / "two").encode(QUESTIONS).shape == (2, 32)


def test_another_word_table_is_not_confused_with_the_shared_one(tiny_retriever: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.safetensors"
    compact(tiny_retriever, tmp_path / "one", RetrieverConfig, words)
    held = load_state(words)
    save_state(words, {name: -table for name, table in held.items()}, compact=True)
    with pytest.raises(ArtifactError, match="`freeze_embeddings`"):
        compact(tiny_retriever, tmp_path / "two", RetrieverConfig, words)
    assert not list(tmp_path.glob("*.new"))


def test_a_compact_model_can_be_a_base(tiny_retriever: Path, tmp_path: Path) -> None:
    compact(tiny_retriever, tmp_path / "small", RetrieverConfig)
    save_retriever(open_base(str(tmp_path / "small"), None, 64, 256), tmp_path / "again")
    small, again = (open_question_encoder(tmp_path / name).encode(QUESTIONS) for name in ("small", "again"))
    np.testing.assert_allclose(again, small, atol=1e-5)

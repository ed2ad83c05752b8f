import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from densecli.encoders import engines
from densecli.encoders.engines import open_question_encoder
from densecli.encoders.torch_retriever import TorchQuestionEncoder
from densecli.errors import ArtifactError
from densecli.models.folder import RetrieverConfig, fingerprint, read_model_config, write_model_config
from densecli.models.weights import load_state, save_state

QUESTIONS = ["who", "where is the river and the sea and the city", "who\u2019s king", "a song"]


def test_both_engines_give_the_same_vectors_in_the_order_of_questions(
    tiny_retriever: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = TorchQuestionEncoder(tiny_retriever).encode(QUESTIONS)
    monkeypatch.setitem(engines.BATCH_TOKENS, "onnxruntime", 16)  # several batches
    encoder = open_question_encoder(tiny_retriever)
    found = encoder.encode(QUESTIONS)
    assert found.dtype == np.float32
    assert found.shape == (4, encoder.dimension)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert encoder.fingerprint == fingerprint(tiny_retriever)
    assert encoder.encode([]).shape == (0, 32)


def test_weights_that_are_not_finite_are_refused(tiny_retriever: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_retriever, tmp_path / "model")
    weights = folder / "question" / "weights.safetensors"
    state = load_state(weights)
    state["embeddings.LayerNorm.bias"][:] = np.nan
    save_state(weights, state)
    with pytest.raises(ArtifactError, match="not finite"):
        open_question_encoder(folder).encode(QUESTIONS)
    with pytest.raises(ArtifactError, match=r"embeddings\.LayerNorm\.bias holds values"):
        TorchQuestionEncoder(folder)


def test_files_of_two_models_are_refused(tiny_retriever: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_retriever, tmp_path / "model")
    model_config = read_model_config(folder, RetrieverConfig)
    write_model_config(folder, replace(model_config, max_question_tokens=513))
    with pytest.raises(ArtifactError, match="513, but the tower has 512 positions"):
        open_question_encoder(folder)
    write_model_config(folder, model_config)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"##9":', '"##9x":999,"##9":'))
    with pytest.raises(ArtifactError, match="they belong to two models"):
        open_question_encoder(folder)

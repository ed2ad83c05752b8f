import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from densecli.encoders.torch_retriever import PassageEncoder, TorchQuestionEncoder
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import open_base
from densecli.records import Passage

PASSAGES = [Passage(str(n), "king" if n % 2 else "", "the river " * n + "and sea") for n in range(9)]


def pooled(base: Path, folder: Path, mode: str, normalize: bool) -> Path:
    """The base as a sentence-transformers folder."""
    shutil.copytree(base, folder)
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    modules = [
        {"idx": n, "path": f"{n}_{kind}" if n else "", "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    flags = {f"pooling_mode_{name}": name == mode for name in ("cls_token", "mean_tokens", "max_tokens")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32, **flags}))
    return folder


def test_vectors_keep_the_order_and_do_not_depend_on_the_batch(tiny_base: Path) -> None:
    whole = PassageEncoder(tiny_base, precision="fp32").encode(PASSAGES)
    single = PassageEncoder(tiny_base, precision="fp32", batch_tokens=1).encode(PASSAGES)
    assert whole.shape == (9, 32)
    np.testing.assert_allclose(whole, single, atol=1e-5)
    assert len({row.tobytes() for row in whole.round(4)}) == 9


def test_bfloat16_vectors_are_close_to_float32(tiny_base: Path) -> None:
    exact = PassageEncoder(tiny_base, precision="fp32").encode(PASSAGES)
    quick = PassageEncoder(tiny_base, precision="bf16").encode(PASSAGES)
    assert quick.dtype == np.float32
    assert 0 < np.abs(quick - exact).max() < 0.1


def test_an_untrained_base_embeds_with_its_own_pooling_and_normalization(
    tiny_base: Path, tmp_path: Path
) -> None:
    folder = pooled(tiny_base, tmp_path / "mean", "mean_tokens", normalize=True)
    passages = PassageEncoder(folder, precision="fp32").encode(PASSAGES)
    np.testing.assert_allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    text = PASSAGES[2].text
    question = TorchQuestionEncoder(folder).encode([text])
    np.testing.assert_allclose(question[0], passages[2], atol=1e-5)
    first = PassageEncoder(tiny_base, precision="fp32").encode(PASSAGES)
    assert np.abs(first - passages).max() > 0.1


def test_the_two_towers_of_a_model_are_distinguished(tiny_base: Path, tmp_path: Path) -> None:
    base = open_base(str(tiny_base), None, 64, 256)
    base.passage.model.embeddings.LayerNorm.bias.data += 1
    save_retriever(base, tmp_path / "model")
    text = PASSAGES[2].text
    question = TorchQuestionEncoder(tmp_path / "model").encode([text])
    passage = PassageEncoder(tmp_path / "model", precision="fp32").encode([PASSAGES[2]])
    assert np.abs(question - passage).max() > 0.01
    np.testing.assert_allclose(question, TorchQuestionEncoder(tiny_base).encode([text]), atol=1e-5)
    assert PassageEncoder(tmp_path / "model").fingerprint != PassageEncoder(tiny_base).fingerprint


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_model_folder_uses_the_pooling_of_its_training(
    tiny_base: Path, tmp_path: Path, pooling: str
) -> None:
    save_retriever(open_base(str(tiny_base), pooling, 64, 256), tmp_path / "model")
    found = PassageEncoder(tmp_path / "model", precision="fp32").encode(PASSAGES)
    plain = PassageEncoder(tiny_base, precision="fp32").encode(PASSAGES)
    assert (np.abs(found - plain).max() < 1e-5) == (pooling == "cls")

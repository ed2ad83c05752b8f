import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoTokenizer, DPRConfig, DPRContextEncoder, DPRQuestionEncoder

from densecli.encoders.torch_base import open_retriever
from densecli.encoders.torch_retriever import PassageEncoder, TorchQuestionEncoder
from densecli.encoders.torch_start import open_base
from densecli.errors import ArtifactError
from densecli.models.folder import fingerprint
from densecli.models.foreign.bert_tower import BertRetriever
from densecli.models.foreign.dpr_folder import read_dpr_pair, read_dpr_tower, write_dpr_pair
from densecli.models.tokens import Tokens

CLASSES = {"question_encoder": DPRQuestionEncoder, "ctx_encoder": DPRContextEncoder}


@pytest.fixture
def pair(dpr_retriever: BertRetriever, tmp_path: Path) -> Path:
    write_dpr_pair(dpr_retriever, tmp_path / "pair")
    return tmp_path / "pair"


@pytest.mark.parametrize("name", CLASSES)
def test_transformers_loads_our_folder_with_equal_vectors(observed: Any, pair: Path, name: str) -> None:
    model, found = CLASSES[name].from_pretrained(pair / name, output_loading_info=True)
    assert not any(found[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokenizer = AutoTokenizer.from_pretrained(pair / name)
    if name == "question_encoder":
        texts: list[Any] = [(question,) for question in observed.questions]
        expected = observed.vectors("question", False)
    else:
        texts = [(one.title, one.text) if one.title else (one.text,) for one in observed.passages]
        expected = observed.vectors("passage", False)
    for text, vector in zip(texts, expected, strict=True):
        # as its users call it: token types and all
        inputs = tokenizer(*text, return_tensors="pt", truncation="longest_first")
        with torch.inference_mode():
            np.testing.assert_allclose(model.eval()(**inputs).pooler_output[0].numpy(), vector, atol=1e-5)


def test_we_load_a_transformers_folder_with_equal_vectors(observed: Any, pair: Path, tmp_path: Path) -> None:
    """Random encoders that transformers has made and written, in both formats of weights."""
    config = DPRConfig(**{name: observed.config[name] for name in (
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "max_position_embeddings",
    )}, initializer_range=0.3)  # fmt: skip
    theirs = tmp_path / "theirs"
    models = {}
    for name, kind in CLASSES.items():
        shutil.copytree(pair / name, theirs / name)
        models[name] = kind(config).eval()
        models[name].save_pretrained(theirs / name)
    old = {"ctx_encoder.bert_model.embeddings.position_ids": torch.arange(64)[None]}
    (theirs / "ctx_encoder" / "model.safetensors").unlink()
    torch.save({**models["ctx_encoder"].state_dict(), **old}, theirs / "ctx_encoder" / "pytorch_model.bin")
    ids = read_ids(theirs / "ctx_encoder", [one.text for one in observed.passages])
    expected = [models["ctx_encoder"](input_ids=row).pooler_output[0].detach().numpy() for row in ids]
    found = PassageEncoder(theirs, "cpu", "fp32").encode(
        [replace(one, title="") for one in observed.passages]
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    ids = read_ids(theirs / "question_encoder", observed.questions)
    expected = [models["question_encoder"](input_ids=row).pooler_output[0].detach().numpy() for row in ids]
    found = TorchQuestionEncoder(theirs).encode(observed.questions)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def read_ids(folder: Path, texts: list[str]) -> list[torch.Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [tokenizer(text, return_tensors="pt", truncation=True)["input_ids"] for text in texts]


def test_a_pair_of_encoders_survives_a_round_trip(dpr_retriever: BertRetriever, pair: Path) -> None:
    found = read_dpr_pair(pair / "question_encoder", pair / "ctx_encoder")
    assert found.model_config == dpr_retriever.model_config
    assert found.tokenizer.get_vocab() == dpr_retriever.tokenizer.get_vocab()
    for name, weight in dpr_retriever.passage.state.items():
        if "token_type" not in name:
            np.testing.assert_array_equal(found.passage.state[name], weight)


def test_a_pair_of_encoders_is_trained_without_conversion(observed: Any, pair: Path) -> None:
    vectors = PassageEncoder(pair, "cpu", "fp32").encode(observed.passages)
    np.testing.assert_allclose(vectors, observed.vectors("passage", False), atol=1e-5)
    base = open_base(str(pair), None, 24, 24)
    assert base.question is not base.passage
    before = fingerprint(pair)
    path = pair / "ctx_encoder" / "model.safetensors"
    save_file({name: weight + 1 for name, weight in load_file(path).items()}, path)
    assert fingerprint(pair) != before


def test_a_missing_encoder_is_an_error(pair: Path) -> None:
    with pytest.raises(ArtifactError, match="holds DPRContextEncoder; DPRQuestionEncoder is needed"):
        read_dpr_tower(pair / "ctx_encoder", "question")
    with pytest.raises(ArtifactError, match="one of the encoders of a DPR model"):
        open_retriever(str(pair / "ctx_encoder"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.popitem(), "is missing"),
        (lambda state: state.update({"ctx_encoder.odd": np.zeros(2, np.float32)}), "odd .* not part"),
        (
            lambda state: state.update({"ctx_encoder.encode_proj.weight": np.zeros((8, 16), np.float32)}),
            r"encode_proj\.bias of shape \(8,\) is missing",
        ),
        (lambda state: state.clear(), "no weights of floating point"),
    ],
)
def test_an_incomplete_folder_is_refused(pair: Path, change: Any, told: str) -> None:
    path = pair / "ctx_encoder" / "model.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)
    with pytest.raises(ArtifactError, match=told):
        open_retriever(str(pair))


def test_damaged_weights_and_other_models_are_reported(pair: Path, tiny_base: Path) -> None:
    with pytest.raises(ArtifactError, match="a model of type 'bert'"):
        read_dpr_tower(tiny_base, "question")
    path = pair / "ctx_encoder" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_dpr_tower(path.parent, "passage")


def test_cased_vocabularies_are_kept_cased(pair: Path) -> None:
    """Transformers' own class forgets the setting; a bare vocabulary is read here with what it says."""
    for name in CLASSES:
        (pair / name / "tokenizer.json").unlink()
        settings = json.loads((pair / name / "tokenizer_config.json").read_text())
        (pair / name / "tokenizer_config.json").write_text(json.dumps({**settings, "do_lower_case": False}))
    tokenizer = open_retriever(str(pair)).tokenizer
    assert tokenizer.encode("Marie").ids != tokenizer.encode("marie").ids


def test_losing_a_trailing_sep_is_reported(dpr_retriever: BertRetriever, tmp_path: Path) -> None:
    model_config = replace(dpr_retriever.model_config, trailing_sep=True)
    with pytest.raises(ArtifactError, match="this format cannot say so"):
        write_dpr_pair(replace(dpr_retriever, model_config=model_config), tmp_path / "pair")


def test_projections_match_transformers(observed: Any, dpr_retriever: BertRetriever, tmp_path: Path) -> None:
    made = np.random.default_rng(3).normal(size=(5, 16)).astype(np.float32)
    heads = {"encode_proj.weight": made[:4], "encode_proj.bias": made[4, :4].copy()}
    towers = {side: replace(getattr(dpr_retriever, side), heads=heads) for side in ("question", "passage")}
    projected = replace(
        dpr_retriever, model_config=replace(dpr_retriever.model_config, projection=4), **towers
    )
    write_dpr_pair(projected, tmp_path / "pair")
    model = DPRQuestionEncoder.from_pretrained(tmp_path / "pair" / "question_encoder").eval()
    found = TorchQuestionEncoder(tmp_path / "pair").encode(observed.questions)
    for ids, vector in zip(projected_ids(projected, observed.questions), found, strict=True):
        with torch.inference_mode():
            np.testing.assert_allclose(model(torch.tensor([ids]))[0][0].numpy(), vector, atol=1e-5)


def projected_ids(retriever: BertRetriever, questions: list[str]) -> list[list[int]]:
    return Tokens(retriever.tokenizer, retriever.model_config).questions(questions)

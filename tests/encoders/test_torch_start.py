"""What a model is trained to be reaches both engines, its folder, and whoever opens it again."""

import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel

from densecli.encoders.engines import open_question_encoder
from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_retriever import PassageEncoder, TorchQuestionEncoder
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.errors import ArtifactError, UsageError
from densecli.models.compact import compact
from densecli.models.folder import RetrieverConfig, fingerprint, read_model_config, write_model_config
from densecli.models.weights import load_state, save_state
from densecli.records import Passage

QUESTIONS = ["who was the king", "where is the river and the sea"]
PASSAGES = [
    Passage("1", "king", "of the sea"),
    Passage("2", "", "a song of the river"),
    Passage("3", "a", "film"),
]
CHANGES = {
    "projection": Change(projection=5),
    "l2": Change(similarity="l2"),
    "cosine": Change(similarity="cosine"),
    "projected distance": Change(similarity="l2", projection=5, seed=3),
    "segments": Change(token_types="segments"),
    "trailing separator": Change(trailing_sep=True, token_types="segments"),
    "prefixes": Change(question_prefix="who ", passage_prefix="the "),
    "shared": Change(shared_encoder=True),
    "all": Change("l2", 7, True, "who ", "the ", "segments", True),
}


def saved(base: Path, folder: Path, change: Change, pooling: str = "mean") -> Retriever:
    retriever = open_base(str(base), pooling, 24, 24, change)
    save_retriever(retriever, folder)
    return retriever


def wanted(model_config: RetrieverConfig, change: Change) -> bool:
    asked = {one.name: getattr(change, one.name) for one in fields(change) if one.name != "seed"}
    return all(value is None or getattr(model_config, name) == value for name, value in asked.items())


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_both_engines_apply_the_options_stored_in_the_folder(
    tiny_base: Path, tmp_path: Path, change: Change
) -> None:
    model = tmp_path / "model"
    trained = saved(tiny_base, model, change)
    model_config = read_model_config(model, RetrieverConfig)
    assert wanted(model_config, change)
    assert replace(model_config, words={}) == replace(trained.model_config, words={})
    compiled, torched, passages = (
        open_question_encoder(model),
        TorchQuestionEncoder(model),
        PassageEncoder(model),
    )
    found = compiled.encode(QUESTIONS)
    np.testing.assert_allclose(found, torched.encode(QUESTIONS), atol=1e-4)
    told = passages.encode(PASSAGES)
    lengths = {found.shape[1], told.shape[1], compiled.dimension, passages.dimension}
    assert lengths == {(change.projection or 32) + (change.similarity == "l2")}
    again = open_base(str(model), None, 24, 24)
    save_retriever(again, tmp_path / "again")
    np.testing.assert_allclose(PassageEncoder(tmp_path / "again").encode(PASSAGES), told, atol=1e-5)
    plain = tmp_path / "plain"
    saved(tiny_base, plain, Change())
    if change.shared_encoder and change.similarity is None:  # the towers were equal before, too
        np.testing.assert_allclose(told, PassageEncoder(plain).encode(PASSAGES), atol=1e-5)
    else:
        other = PassageEncoder(plain).encode(PASSAGES)
        assert told.shape != other.shape or np.abs(told - other).max() > 1e-3


def test_distances_rank_passages(tiny_base: Path, tmp_path: Path) -> None:
    saved(tiny_base, tmp_path / "model", Change(similarity="l2"))
    saved(tiny_base, tmp_path / "plain", Change())
    scores = (
        open_question_encoder(tmp_path / "model").encode(QUESTIONS)
        @ PassageEncoder(tmp_path / "model").encode(PASSAGES).T
    )
    asked = open_question_encoder(tmp_path / "plain").encode(QUESTIONS)
    told = PassageEncoder(tmp_path / "plain").encode(PASSAGES)
    distances = np.square(asked[:, None] - told[None]).sum(axis=2)
    np.testing.assert_allclose(np.square(asked).sum(axis=1)[:, None] - 2 * scores, distances, rtol=1e-3)
    np.testing.assert_array_equal((-scores).argsort(axis=1), distances.argsort(axis=1))


def test_a_shared_encoder_is_stored_once(tiny_base: Path, tmp_path: Path) -> None:
    retriever = saved(tiny_base, tmp_path / "model", Change(shared_encoder=True, projection=4))
    assert retriever.question.model is retriever.passage.model
    assert retriever.question.encode_proj is retriever.passage.encode_proj
    assert not (tmp_path / "model" / "passage").exists()
    again = open_retriever(str(tmp_path / "model"))
    assert again.question.model is again.passage.model
    assert again.question.encode_proj is again.passage.encode_proj
    assert open_base(str(tmp_path / "model"), None, 24, 24).model_config.shared_encoder
    compact(tmp_path / "model", tmp_path / "small", RetrieverConfig)
    assert not (tmp_path / "small" / "passage").exists()
    small, whole = (PassageEncoder(tmp_path / name).encode(PASSAGES) for name in ("small", "model"))
    np.testing.assert_allclose(small, whole, atol=0.1)


def test_the_fingerprint_depends_on_the_shared_weights(tiny_base: Path, tmp_path: Path) -> None:
    saved(tiny_base, tmp_path / "model", Change(shared_encoder=True))
    before = fingerprint(tmp_path / "model")
    weights = tmp_path / "model" / "question" / "weights.safetensors"
    state = load_state(weights)
    state["embeddings.LayerNorm.bias"] += 1
    save_state(weights, state)
    assert fingerprint(tmp_path / "model") != before


def test_projections_start_equal_and_depend_on_the_seed(tiny_base: Path) -> None:
    made = [open_base(str(tiny_base), None, 24, 24, Change(projection=4, seed=seed)) for seed in (1, 1, 2)]
    first, same, other = (one.question.encode_proj.weight for one in made)
    assert torch.equal(first, same)
    assert torch.equal(first, made[0].passage.encode_proj.weight)
    assert first is not made[0].passage.encode_proj.weight
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (Change(), Change(shared_encoder=True), "`shared_encoder` contradicts .*, which has two encoders"),
        (Change(), Change(projection=4), "`projection` 4 contradicts .*, which was trained with 0"),
        (Change(projection=4), Change(projection=6), "`projection` 6 contradicts .* trained with 4"),
        (Change(), Change(token_types="segments"), "`token_types` segments contradicts .* 'zeros'"),
        (Change(passage_prefix="the "), Change(passage_prefix="a "), "`passage_prefix` a  contradicts"),
        (Change(trailing_sep=True), Change(trailing_sep=False), "`trailing_sep` False contradicts"),
    ],
)
def test_options_that_contradict_a_trained_model_are_refused(
    tiny_base: Path, tmp_path: Path, first: Change, second: Change, told: str
) -> None:
    saved(tiny_base, tmp_path / "model", first)
    with pytest.raises(UsageError, match=told):
        open_base(str(tmp_path / "model"), None, 24, 24, second)
    open_base(str(tmp_path / "model"), None, 24, 24, first)


def test_segments_match_transformers_for_a_pair(tiny_base: Path, tmp_path: Path) -> None:
    retriever = open_base(str(tiny_base), "cls", 24, 24, Change(token_types="segments"))
    pair = retriever.tokenizer.encode("king", "of the sea")
    with torch.inference_mode():
        state = BertModel.from_pretrained(tiny_base, add_pooling_layer=False).eval()(
            input_ids=torch.tensor([pair.ids]), token_type_ids=torch.tensor([pair.type_ids])
        )[0]
    save_retriever(retriever, tmp_path / "model")
    found = PassageEncoder(tmp_path / "model").encode(PASSAGES)  # padded beside longer ones
    np.testing.assert_allclose(found[0], state[0, 0].numpy(), atol=1e-5)


def test_a_missing_projection_is_an_error(tiny_base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    saved(tiny_base, folder, Change())
    write_model_config(folder, replace(read_model_config(folder, RetrieverConfig), projection=4))
    for opened in (open_question_encoder, TorchQuestionEncoder):
        with pytest.raises(ArtifactError, match=r"encode_proj\.\w+ of shape .* is missing"):
            opened(folder)


def test_folders_of_older_versions_get_the_defaults(tiny_retriever: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_retriever, tmp_path / "model")
    path = folder / "model.json"
    lines = [one for one in path.read_text().splitlines() if "projection" not in one and "shared" not in one]
    path.write_text("\n".join(lines))
    assert read_model_config(folder, RetrieverConfig) == read_model_config(tiny_retriever, RetrieverConfig)

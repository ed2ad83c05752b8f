"""Any encoder of Hugging Face's: trained, saved, opened again, embedded, searched with."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, BartConfig, BartModel, GPT2Config, GPT2Model
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from densecli.encoders.engines import EngineRequest, open_passage_encoder
from densecli.encoders.foreign_sides import read_side
from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_dropout import set_dropout
from densecli.encoders.torch_retriever import PassageEncoder, TorchQuestionEncoder
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import open_base
from densecli.encoders.torch_tower import position_limit
from densecli.errors import ArtifactError, UsageError
from densecli.models.compact import compact
from densecli.models.folder import RetrieverConfig, is_compiled
from densecli.models.onnx_encoder import distance_buckets
from densecli.models.weights import FloatArray
from densecli.records import Passage
from densecli.training.forward import vectors_of
from encoder_families import FAMILIES, POSITIONS, SENTENCES, Family

PASSAGES = [
    Passage("1", "the river", SENTENCES[0]),
    Passage("2", "", "a song"),
    Passage("3", "king", "the sea"),
]
QUESTIONS = ["who was the king?", "where is the old city"]
NOT_COMPILED = {"albert", "electra", "deberta-v2"}
COMPILED = {name: family for name, family in FAMILIES.items() if name not in NOT_COMPILED}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def vectors(retriever: Retriever) -> FloatArray:
    retriever.passage.eval()
    ids = retriever.tokens.passages(PASSAGES)
    with torch.inference_mode():
        return vectors_of(retriever.passage, ids, retriever.tokens.pad, torch.float32).numpy()


def one_step(retriever: Retriever) -> None:
    weights = [weight for tower in (retriever.question, retriever.passage) for weight in tower.parameters()]
    optimizer = torch.optim.SGD(weights, lr=0.05)
    tokens = retriever.tokens
    rows = tokens.questions(QUESTIONS), tokens.passages(PASSAGES[:2])
    asked, told = (
        torch.cat(
            [tower.pool(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)) for ids in side]
        )
        for tower, side in zip((retriever.question, retriever.passage), rows, strict=True)
    )
    torch.nn.functional.cross_entropy(asked @ told.T, torch.arange(2)).backward()
    assert all(weight.grad is not None for weight in weights if weight.ndim > 1)
    optimizer.step()


@every_family
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_trained_model_survives_saving_and_opening(family: Family, pooling: str, tmp_path: Path) -> None:
    retriever = open_base(str(family.save(tmp_path / "base")), pooling, 32, POSITIONS)
    before = vectors(retriever)
    one_step(retriever)
    trained = vectors(retriever)
    assert np.abs(trained - before).max() > 1e-4
    assert np.abs(trained[0] - trained[1]).max() > 1e-2
    save_retriever(retriever, tmp_path / "model")
    assert is_compiled(tmp_path / "model") == (family in COMPILED.values())
    encoder = PassageEncoder(tmp_path / "model", "cpu", "fp32")
    np.testing.assert_allclose(encoder.encode(PASSAGES), trained, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(PASSAGES[1:2]), trained[1:2], atol=1e-5)  # without padding
    asked = TorchQuestionEncoder(tmp_path / "model").encode(QUESTIONS)
    assert asked.shape == (2, encoder.dimension)
    again = open_base(str(tmp_path / "model"), None, 32, POSITIONS)
    assert again.model_config.pooling == pooling
    np.testing.assert_allclose(vectors(again), trained, atol=1e-5)


@pytest.mark.parametrize("family", COMPILED.values(), ids=COMPILED)
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("stored", ["compact", "whole", "of Hugging Face"])
def test_compiled_engines_agree_with_torch(family: Family, engine: str, stored: str, tmp_path: Path) -> None:
    """With longer texts than ModernBERT's window and MPNet's exact distances."""
    folder = family.save(tmp_path / "base")
    if stored != "of Hugging Face":
        save_retriever(open_base(str(folder), "mean", 32, POSITIONS), folder := tmp_path / "model")
    if stored == "compact":
        compact(folder, folder := tmp_path / "small", RetrieverConfig)
    passages = [*PASSAGES, Passage("4", "", " ".join(SENTENCES * 3))]
    expected = PassageEncoder(folder, "cpu", "fp32").encode(passages)
    encoder = open_passage_encoder(folder, EngineRequest(engine, "cpu", "fp32"), 100)
    np.testing.assert_allclose(encoder.encode(passages), expected, atol=2e-5)


@pytest.mark.parametrize("buckets", [8, 32])
def test_relative_positions_have_the_buckets_of_mpnet(buckets: int) -> None:
    distances = np.arange(-600, 601)
    expected = MPNetEncoder.relative_position_bucket(torch.from_numpy(distances), num_buckets=buckets)
    np.testing.assert_array_equal(distance_buckets(distances, buckets), expected.numpy())


@pytest.mark.parametrize("family", COMPILED.values(), ids=COMPILED)
def test_a_hugging_face_folder_is_read_without_torch(family: Family, tmp_path: Path) -> None:
    for name in ("base", "head"):
        folder = family.save(tmp_path / name, head=name == "head")
        side = read_side(folder, "passage")
        assert side is not None
        opened = open_retriever(str(folder))
        assert side.model_config == opened.model_config
        state = opened.passage.model.state_dict()
        assert {name: tuple(state[name].shape) for name in side.parts.encoder.shapes()} == (
            side.parts.encoder.shapes()
        )
        np.testing.assert_array_equal(
            side.parts.words.take(np.arange(9)), state[side.parts.encoder.words][:9]
        )


@every_family
def test_hidden_states_match_transformers(family: Family, tmp_path: Path) -> None:
    folder = family.save(tmp_path / "base")
    model = AutoModel.from_pretrained(folder).eval()
    retriever = open_retriever(str(folder))
    for ids, found in zip(retriever.tokens.passages(PASSAGES), vectors(retriever), strict=True):
        with torch.inference_mode():
            state = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)))[0]
        np.testing.assert_allclose(found, state[0, 0].numpy(), atol=1e-4)


@every_family
def test_special_tokens_of_pairs_follow_the_family(family: Family, tmp_path: Path) -> None:
    tokens = open_retriever(str(family.save(tmp_path / "base"))).tokens
    first, last, pad, _ = family.frame
    names = [tokens.tokenizer.id_to_token(i) for i in tokens.passages(PASSAGES)[0]]
    parted = 2 if family.frame[0] == "<s>" else 1
    assert (names[0], names[-1], names.count(last)) == (first, last, parted + 1)
    assert tokens.tokenizer.id_to_token(tokens.pad) == pad
    assert [tokens.cls, tokens.sep] == [tokens.tokenizer.token_to_id(name) for name in (first, last)]


@every_family
def test_all_positions_are_used_and_not_one_more(family: Family, tmp_path: Path) -> None:
    folder = str(family.save(tmp_path / "base"))
    retriever = open_base(folder, None, 32, POSITIONS)
    assert position_limit(retriever.question.model) == POSITIONS
    (ids,) = retriever.tokens.passages([Passage("1", "", "river " * 50_000)])
    assert len(ids) == POSITIONS
    assert retriever.tokens.pad not in ids
    found = vectors_of(retriever.passage.eval(), [ids], retriever.tokens.pad, torch.float32)
    assert torch.isfinite(found).all()
    with pytest.raises(UsageError, match=f"positions for {POSITIONS}"):
        open_base(folder, None, 32, POSITIONS + 1)


@every_family
def test_dropout_follows_the_setting(family: Family, tmp_path: Path) -> None:
    """As if the model had been built with it, wherever the architecture keeps it."""
    made = {
        share: open_base(str(family.save(tmp_path / str(share), share)), None, 32, 32) for share in (0.0, 0.3)
    }
    ids = made[0.0].tokens.passages(PASSAGES)

    def dropped(retriever: Retriever, seed: int) -> torch.Tensor:
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(seed)
            return vectors_of(retriever.passage.train(), ids, retriever.tokens.pad, torch.float32)

    built = dropped(made[0.3], 1)
    set_dropout(made[0.0].passage, 0.3)
    torch.testing.assert_close(dropped(made[0.0], 1), built)
    assert (dropped(made[0.0], 2) - built).abs().max() > 1e-3
    for retriever in made.values():
        set_dropout(retriever.passage, 0.0)
        torch.testing.assert_close(dropped(retriever, 1).numpy(), vectors(retriever))


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "modernbert", "mpnet", "albert"])
def test_the_head_of_a_language_model_is_dropped(name: str, tmp_path: Path) -> None:
    retriever = open_retriever(str(FAMILIES[name].save(tmp_path / "base", head=True)))
    assert not [weight for weight in retriever.question.state_dict() if "head" in weight or "cls." in weight]


@pytest.mark.parametrize("name", ["roberta", "modernbert", "distilbert", "deberta-v2"])
def test_missing_token_types_are_not_used(name: str, tmp_path: Path) -> None:
    save_retriever(open_base(str(FAMILIES[name].save(tmp_path / "base")), None, 32, 32), tmp_path / "model")
    model_config = tmp_path / "model" / "model.json"
    model_config.write_text(model_config.read_text().replace('"zeros"', '"segments"'))
    with pytest.raises(ArtifactError, match="knows one type of tokens"):
        open_retriever(str(tmp_path / "model"))


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    folder = FAMILIES["bert"].save(tmp_path / "base")
    other = FAMILIES["modernbert"].save(tmp_path / "other")
    (folder / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(ArtifactError, match=r"weight .* is missing \(densecli never"):
        open_retriever(str(folder))


def test_models_that_are_not_encoders_are_reported(tmp_path: Path) -> None:
    small = {"vocab_size": 50, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1}
    BartModel(BartConfig(**small, encoder_attention_heads=2, decoder_attention_heads=2)).save_pretrained(
        tmp_path / "s"
    )
    GPT2Model(GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2)).save_pretrained(tmp_path / "g")
    for name, kind in (("s", "bart"), ("g", "gpt2")):
        with pytest.raises(ArtifactError, match=f"a model of type '{kind}' is not a text encoder"):
            open_retriever(str(tmp_path / name))
    config = tmp_path / "g" / "config.json"
    config.write_text(json.dumps({"model_type": "no-such-thing"}))
    with pytest.raises(ArtifactError, match=r"config\.json: no encoder can be built"):
        open_retriever(str(tmp_path / "g"))

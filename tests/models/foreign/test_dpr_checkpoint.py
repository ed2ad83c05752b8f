import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from densecli.encoders.engines import open_question_encoder
from densecli.encoders.torch_retriever import PassageEncoder, TorchQuestionEncoder
from densecli.encoders.torch_start import open_base
from densecli.errors import ArtifactError
from densecli.models.folder import RetrieverConfig, read_model_config
from densecli.models.foreign.bert_tower import BertRetriever
from densecli.models.foreign.dpr_checkpoint import DprCheckpoint, read_retriever_checkpoint
from densecli.models.foreign.torch_checkpoint import write_retriever_checkpoint
from densecli.models.tokens import Tokens
from densecli.training.forward import vectors_of

GOLDEN = Path(__file__).parents[2] / "golden"
FORMS = ("v1", "hydra")
QUERY = "question_model.encoder.layer.0.attention.self.query.weight"


def golden(form: str) -> Path:
    return GOLDEN / f"tiny_biencoder.{form}.cp"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("trailing_sep", [True, False])
def test_vectors_match_the_reference(
    observed: Any, dpr_base: Path, tmp_path: Path, form: str, trailing_sep: bool
) -> None:
    read_retriever_checkpoint(golden(form), dpr_base, trailing_sep).write(tmp_path / "model")
    model_config = read_model_config(tmp_path / "model", RetrieverConfig)
    assert (model_config.trailing_sep, model_config.max_question_tokens, model_config.max_passage_tokens) == (
        trailing_sep,
        24,
        24,
    )
    expected = observed.vectors("question", trailing_sep)
    for encoder in (open_question_encoder(tmp_path / "model"), TorchQuestionEncoder(tmp_path / "model")):
        np.testing.assert_allclose(encoder.encode(observed.questions), expected, atol=1e-5)
    passages = PassageEncoder(tmp_path / "model", "cpu", "fp32").encode(observed.passages)
    np.testing.assert_allclose(passages, observed.vectors("passage", trailing_sep), atol=1e-5)
    assert np.abs(expected - observed.vectors("question", not trailing_sep)).max() > 1e-4


@pytest.mark.parametrize(("form", "trailing_sep"), [("v1", False), ("hydra", True)])
def test_the_checkpoint_format_determines_the_trailing_sep(
    dpr_base: Path, form: str, trailing_sep: bool
) -> None:
    assert read_retriever_checkpoint(golden(form), dpr_base).model_config.trailing_sep is trailing_sep


def test_ids_match_the_reference(observed: Any, dpr_base: Path) -> None:
    """The reference pads to the full length; the `[SEP]` at its end stands right behind the others here."""
    found = read_retriever_checkpoint(golden("hydra"), dpr_base)
    tokens = Tokens(found.tokenizer, found.model_config)
    pairs = [
        *zip(tokens.questions(observed.questions), observed.question_ids, strict=True),
        *zip(tokens.passages(observed.passages), observed.passage_ids, strict=True),
    ]
    for ours, theirs in pairs:
        assert ours == [piece for piece in theirs if piece]


def test_further_training_keeps_the_trailing_sep(observed: Any, dpr_base: Path, tmp_path: Path) -> None:
    read_retriever_checkpoint(golden("hydra"), dpr_base).write(tmp_path / "model")
    base = open_base(str(tmp_path / "model"), None, 24, 24)
    base.passage.eval()
    ids = base.tokens.passages(observed.passages)
    vectors = vectors_of(base.passage, ids, base.tokens.pad, torch.float32).detach().numpy()
    np.testing.assert_allclose(vectors, observed.vectors("passage", True), atol=1e-5)
    shorter = open_base(str(tmp_path / "model"), None, 12, 20)
    assert (shorter.question.last_position, shorter.passage.last_position) == (11, 19)


def test_a_written_checkpoint_has_the_dpr_format_and_is_read_again(
    dpr_retriever: BertRetriever, dpr_base: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.cp"
    write_retriever_checkpoint(dpr_retriever, path)
    held, theirs = (torch.load(place, weights_only=True) for place in (path, golden("v1")))
    assert list(held) == list(theirs)
    assert {n: w.shape for n, w in held["model_dict"].items()} == {
        n: w.shape for n, w in theirs["model_dict"].items()
    }
    for name, weight in theirs["model_dict"].items():
        if "pooler" not in name:
            assert torch.equal(held["model_dict"][name], weight), name
    assert set(theirs["encoder_params"]) <= set(held["encoder_params"])
    sep = replace(dpr_retriever, model_config=replace(dpr_retriever.model_config, trailing_sep=True))
    write_retriever_checkpoint(sep, path)
    assert read_retriever_checkpoint(path, dpr_base).model_config == sep.model_config


def test_a_model_that_dpr_cannot_represent_is_not_written(
    dpr_retriever: BertRetriever, tmp_path: Path
) -> None:
    for change, told in (
        ({"pooling": "mean"}, "mean pooling"),
        ({"normalize": True}, "normalized"),
        ({"question_prefix": "query: "}, "a prefix"),
        ({"similarity": "l2"}, "l2 similarity"),
        ({"token_types": "segments"}, "token types are segments"),
    ):
        odd = replace(dpr_retriever, model_config=replace(dpr_retriever.model_config, **change))
        with pytest.raises(ArtifactError, match=told):
            write_retriever_checkpoint(odd, tmp_path / "x.cp")


def changed(tmp_path: Path, change: Any) -> Path:
    held = torch.load(golden("v1"), weights_only=True)
    change(held)
    torch.save(held, tmp_path / "changed.cp")
    return tmp_path / "changed.cp"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda held: held["model_dict"].pop(QUERY), r"attention\.self\.query\.weight .* is missing"),
        (lambda held: held["model_dict"].update({QUERY: torch.zeros(3)}), r"has shape \(3,\)"),
        (lambda held: held["model_dict"].update({QUERY: torch.full((16, 16), torch.nan)}), "not finite"),
        (lambda held: held["model_dict"].update({"question_model.odd": torch.zeros(3)}), "odd .* not part"),
        (
            lambda held: held["model_dict"].update({"question_model.encode_proj.weight": torch.zeros(4, 16)}),
            r"encode_proj\.bias of shape \(4,\) is missing",
        ),
        (
            lambda held: held["encoder_params"].update(encoder_model_type="fairseq_roberta"),
            "'fairseq_roberta'",
        ),
        (lambda held: held["model_dict"].update(word="x"), "'word' is not a tensor"),
        (lambda held: held.pop("model_dict"), "no 'model_dict'"),
        (lambda held: held.pop("encoder_params"), "no 'encoder_params'"),
        (
            lambda held: held["encoder_params"].update(projection_dim=4),
            "projection_dim is 4, but the weights project to 0",
        ),
        (
            lambda held: held["encoder_params"].update(special_tokens=["[X]"]),
            "special_tokens are a list; densecli cannot apply them",
        ),
        (lambda held: held["model_dict"].update({"qa_outputs.weight": torch.zeros(2, 16)}), "of a reader"),
        (lambda held: held["encoder_params"].update(do_lower_case=False), None),
    ],
)
def test_an_incomplete_checkpoint_is_refused(
    dpr_base: Path, tmp_path: Path, change: Any, told: str | None
) -> None:
    path = changed(tmp_path, change)
    if told is None:
        tokenizer = read_retriever_checkpoint(path, dpr_base).tokenizer
        assert tokenizer.encode("Marie").ids != tokenizer.encode("marie").ids
        return
    with pytest.raises(ArtifactError, match=told):
        read_retriever_checkpoint(path, dpr_base)


def test_position_ids_and_longer_tables_are_accepted(dpr_base: Path, tmp_path: Path) -> None:
    def change(held: Any) -> None:
        for tower in ("question_model", "ctx_model"):
            held["model_dict"][f"{tower}.embeddings.position_ids"] = torch.arange(64)[None]

    found = read_retriever_checkpoint(changed(tmp_path, change), dpr_base)
    assert not [name for name in found.question.state if "position_ids" in name or "pooler" in name]


def test_an_unpublished_size_needs_a_config(observed: Any, dpr_base: Path, tmp_path: Path) -> None:
    base = shutil.copytree(dpr_base, tmp_path / "base")
    (base / "config.json").unlink()
    with pytest.raises(ArtifactError, match="a BERT 16 wide is none of those published"):
        read_retriever_checkpoint(golden("v1"), base)
    (base / "config.json").write_text(json.dumps({**observed.config, "num_hidden_layers": 3}))
    with pytest.raises(ArtifactError, match=r"encoder\.layer\.2.* is missing"):
        read_retriever_checkpoint(golden("v1"), base)
    (base / "vocab.txt").unlink()
    (base / "config.json").write_text(json.dumps(observed.config))
    with pytest.raises(ArtifactError, match=r"no tokenizer\.json and no vocab\.txt"):
        read_retriever_checkpoint(golden("v1"), base)


def test_an_unreachable_base_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = changed(tmp_path, lambda held: held["encoder_params"].update(pretrained_model_cfg="./nowhere"))
    with pytest.raises(
        ArtifactError, match=r"tokenizer of \./nowhere; name a folder that holds it as `base`"
    ):
        DprCheckpoint.read(path).base(None)


def test_projections_survive_a_round_trip(
    observed: Any, dpr_retriever: BertRetriever, dpr_base: Path, tmp_path: Path
) -> None:
    made = np.random.default_rng(3)
    heads = {
        "encode_proj.weight": made.normal(size=(4, 16)).astype(np.float32),
        "encode_proj.bias": made.normal(size=4).astype(np.float32),
    }
    towers = {side: replace(getattr(dpr_retriever, side), heads=heads) for side in ("question", "passage")}
    projected = replace(
        dpr_retriever, model_config=replace(dpr_retriever.model_config, projection=4), **towers
    )
    write_retriever_checkpoint(projected, tmp_path / "out.cp")
    held = torch.load(tmp_path / "out.cp", weights_only=True)
    recorded = json.loads((GOLDEN / "checkpoint.json").read_text())["state_dict_keys"]["projection_dim_4"]
    assert {name: list(weight.shape) for name, weight in held["model_dict"].items()} == recorded
    assert held["encoder_params"]["projection_dim"] == 4
    read_retriever_checkpoint(tmp_path / "out.cp", dpr_base).write(tmp_path / "model")
    expected = observed.vectors("question", False) @ heads["encode_proj.weight"].T + heads["encode_proj.bias"]
    found = open_question_encoder(tmp_path / "model").encode(observed.questions)
    np.testing.assert_allclose(found, expected, atol=1e-5)

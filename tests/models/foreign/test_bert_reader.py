import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import DPRReader

from densecli.errors import ArtifactError
from densecli.models.foreign.bert_reader import (
    BertReader,
    read_dpr_reader,
    read_reader_checkpoint,
    write_dpr_reader,
)
from densecli.models.foreign.torch_checkpoint import write_reader_checkpoint
from densecli.models.tokens import second_segment
from densecli.reader import engines
from densecli.reader.torch_folder import open_reader
from densecli.records import Passage

GOLDEN = Path(__file__).parents[2] / "golden"
PASSAGES = [
    Passage("1", "king", "the king of the sea was born in a city"),
    Passage("2", "", "a song of the river"),
]


@pytest.fixture
def base(tiny_reader: Path, tmp_path: Path) -> Path:
    """A folder with what a checkpoint does not hold: the tokenizer and the config."""
    folder = tmp_path / "base"
    folder.mkdir()
    for name in ("tokenizer.json", "encoder/config.json"):
        (folder / Path(name).name).write_bytes((tiny_reader / name).read_bytes())
    return folder


def same_answers(ours: Path, theirs: Path) -> None:
    for question in ("who was born in the city", "what is a river"):
        found, expected = (engines.open_reader(one).read(question, PASSAGES, 5) for one in (ours, theirs))
        assert [span.text for span in found] == [span.text for span in expected]
        np.testing.assert_allclose([s.span_score for s in found], [s.span_score for s in expected], atol=1e-5)


def test_a_checkpoint_survives_a_round_trip(tiny_reader: Path, base: Path, tmp_path: Path) -> None:
    reader = BertReader.read(tiny_reader)
    write_reader_checkpoint(reader, tmp_path / "r.cp")
    read_reader_checkpoint(tmp_path / "r.cp", base).write(tmp_path / "back")
    assert BertReader.read(tmp_path / "back").model_config.max_tokens == reader.model_config.max_tokens
    same_answers(tmp_path / "back", tiny_reader)


def test_the_checkpoint_has_the_names_of_the_reference(tiny_reader: Path, tmp_path: Path) -> None:
    write_reader_checkpoint(BertReader.read(tiny_reader), tmp_path / "r.cp")
    names = torch.load(tmp_path / "r.cp", weights_only=True)["model_dict"]
    recorded = json.loads((GOLDEN / "checkpoint.json").read_text())["state_dict_keys"]
    assert set(names) == set(recorded["reader_projection_dim_0"])


def test_transformers_loads_our_folder_with_equal_answers(tiny_reader: Path, tmp_path: Path) -> None:
    reader = BertReader.read(tiny_reader)
    write_dpr_reader(reader, tmp_path / "hf")
    model, found = DPRReader.from_pretrained(tmp_path / "hf", output_loading_info=True)
    assert not any(found[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    ids = reader.tokenizer.encode("who was the king", "the king of the sea").ids
    with torch.inference_mode():
        logits = model.eval()(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=int)
        )
    (ours,) = engines.open_reader(tiny_reader)._forward([[ids]])
    np.testing.assert_allclose(logits.start_logits[0].numpy(), ours[0][0, :, 0], atol=1e-5)
    np.testing.assert_allclose(logits.end_logits[0].numpy(), ours[0][0, :, 1], atol=1e-5)
    np.testing.assert_allclose(logits.relevance_logits.numpy(), ours[1], atol=1e-5)


def test_a_transformers_folder_survives_a_round_trip(tiny_reader: Path, tmp_path: Path) -> None:
    write_dpr_reader(BertReader.read(tiny_reader), tmp_path / "hf")
    model = DPRReader.from_pretrained(tmp_path / "hf")
    (tmp_path / "hf" / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "hf" / "pytorch_model.bin")
    found = read_dpr_reader(tmp_path / "hf")
    assert found.model_config.max_tokens == BertReader.read(tiny_reader).model_config.max_tokens
    found.write(tmp_path / "back")
    same_answers(tmp_path / "back", tiny_reader)


def test_other_models_are_refused(tiny_reader: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="the checkpoint of a retriever"):
        read_reader_checkpoint(GOLDEN / "tiny_biencoder.v1.cp", base)
    path = tmp_path / "r.cp"
    write_reader_checkpoint(BertReader.read(tiny_reader), path)
    held = torch.load(path, weights_only=True)
    held["model_dict"].pop("qa_classifier.bias")
    torch.save(held, path)
    with pytest.raises(ArtifactError, match=r"qa_classifier\.bias .* is missing"):
        read_reader_checkpoint(path, base)


def test_old_and_new_token_types_are_read(tiny_reader: Path, base: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.cp"
    reader = BertReader.read(tiny_reader)
    write_reader_checkpoint(reader, path)
    held = torch.load(path, weights_only=True)
    assert held["encoder_params"].pop("token_types") == "zeros"
    first = held["encoder_params"]
    held["encoder_params"] = {"do_lower_case": True, "encoder": {**first}}  # as DPR 1.0 nests them
    torch.save(held, path)
    marked = read_reader_checkpoint(path, base)
    assert marked.model_config.token_types == "segments"
    assert read_reader_checkpoint(path, base, "zeros").model_config.token_types == "zeros"
    write_reader_checkpoint(marked, path)
    assert read_reader_checkpoint(path, base).model_config.token_types == "segments"
    with pytest.raises(ArtifactError, match="token types are segments"):
        write_dpr_reader(marked, tmp_path / "hf")
    marked.write(tmp_path / "marked")
    question = "who was born in the city"
    ours = engines.open_reader(tmp_path / "marked").read(question, PASSAGES, 5)
    torched = open_reader(tmp_path / "marked").reading(torch.float32).read(question, PASSAGES, 5)
    plain = engines.open_reader(tiny_reader).read(question, PASSAGES, 5)
    assert [span.text for span in ours] == [span.text for span in torched]
    scores = [[span.span_score for span in spans] for spans in (ours, torched, plain)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)
    assert np.abs(np.subtract(scores[0], scores[2])).max() > 1e-3


def test_token_types_match_the_reference(tiny_reader: Path) -> None:
    golden = json.loads((GOLDEN / "reader.json").read_text())["batch"]["train"]
    ids, types = golden["input_ids"][0][0], golden["token_type_ids"][0][0]
    np.testing.assert_array_equal(second_segment(np.array([ids]), 3)[0], types)

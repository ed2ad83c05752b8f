"""Encoders of any family, and every property of a model: trained, embedded and searched with."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from encoder_families import FAMILIES, trained_tokenizer

SMALL = ("--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64, "--max-question-tokens", 32)


def trained(program, *more, base="base"):
    return program.call("train", "--encoder", base, *SMALL, *more, "--force")


def searched(program):
    """Embed, index and search with the retriever of the place; return the hits and what was said."""
    for command in ("embed", "index"):
        program.call(command, "--force").well()
    ended = program.call("search", "who was born in Rome", "--mode", "dense", "--format", "jsonl").well()
    (row,) = ended.rows
    assert len(row["ctxs"]) > 1
    return row["ctxs"], ended.stderr


def card(program):
    return json.loads((program.workspace / "retriever" / "model.json").read_text())


def test_a_family_without_a_compiled_form_searches_in_torch(prepared):
    FAMILIES["deberta-v2"].save(prepared.folder / "other")
    trained(prepared, base="other").well()
    _, told = searched(prepared)
    assert told.count("can't run an encoder of this type; torch is used instead") == 1


@pytest.mark.parametrize("name", ["roberta", "modernbert"])
def test_a_family_with_a_compiled_form_gives_no_warning(prepared, name):
    FAMILIES[name].save(prepared.folder / "other")
    trained(prepared, base="other").well()
    _, told = searched(prepared)
    assert "torch" not in told


def test_every_property_is_stored_and_applied(prepared):
    more = (
        "--shared-encoder", "--projection", 6, "--similarity", "l2", "--question-prefix", "who ",
        "--passage-prefix", "the ", "--token-types", "segments", "--trailing-sep", "yes", "--pooling", "mean",
    )  # fmt: skip
    trained(prepared, *more).well()
    said = card(prepared)
    assert (said["shared_encoder"], said["projection"], said["similarity"]) == (True, 6, "l2")
    assert (said["question_prefix"], said["passage_prefix"]) == ("who ", "the ")
    assert (said["token_types"], said["trailing_sep"], said["pooling"]) == ("segments", True, "mean")
    hits, _ = searched(prepared)
    scores = [float(hit["score"]) for hit in hits]
    assert scores == sorted(scores, reverse=True)
    for form, told in (
        ("dpr-hf", "token types are segments"),
        ("sentence-transformers", "end in a [SEP]"),
    ):
        ended = prepared.call("convert", ".densecli/retriever", "--to", form, "-o", "out")
        assert ended.status == 4
        assert told in ended.error


def test_a_fixed_passage_encoder_is_unchanged(prepared):
    trained(prepared, "--fixed-passage-encoder", "--learning-rate", 0.01).well()
    model = prepared.workspace / "retriever"
    question, passage = (load_file(model / side / "weights.safetensors") for side in ("question", "passage"))
    base = load_file(prepared.folder / "base" / "model.safetensors")
    for name, weight in passage.items():
        np.testing.assert_array_equal(weight, base[name])
    assert any((weight != base[name]).any() for name, weight in question.items())
    ended = trained(prepared, "--fixed-passage-encoder", "--shared-encoder")
    assert ended.status == 2
    assert "--fixed-passage-encoder contradicts --shared-encoder" in ended.error


def of_another_architecture(base):
    FAMILIES["modernbert"].save(base.with_name("other"))
    shutil.copy(base.with_name("other") / "model.safetensors", base)


def with_another_vocabulary(base):
    config = json.loads((base / "config.json").read_text())
    weights = load_file(base / "model.safetensors")
    table = weights["embeddings.word_embeddings.weight"]
    weights["embeddings.word_embeddings.weight"] = np.tile(table, (20, 1))
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    (base / "config.json").write_text(json.dumps(config | {"vocab_size": len(table) * 20}))


def with_a_larger_vocabulary(base):
    trained_tokenizer("bytes", ("[CLS]", "[SEP]", "[PAD]", "[UNK]")).save(str(base / "tokenizer.json"))


def with_no_number(base):
    weights = load_file(base / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] = np.full(32, np.nan, np.float32)
    save_file(weights, base / "model.safetensors", {"format": "pt"})


def that_writes(base):
    (base / "config.json").write_text(json.dumps({"model_type": "gpt2", "vocab_size": 127}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (of_another_architecture, "is missing (densecli never"),
        (with_another_vocabulary, "they belong to two models"),
        (with_a_larger_vocabulary, "they belong to two models"),
        (with_no_number, "holds values that are not finite"),
        (that_writes, "a model of type 'gpt2' is not a text encoder"),
    ],
)
def test_an_unusable_base_is_reported_in_one_line(prepared, change, told):
    change(prepared.folder / "base")
    with prepared.unchanged():
        ended = trained(prepared)
    assert ended.status == 4
    assert told in ended.error


def test_a_passage_of_fifty_thousand_words_is_cut(prepared):
    long = {"title": "", "text": "the king of the sea " * 10_000}
    rows = [
        {"question": f"who was born in {city}", "answers": [city], "positive_ctxs": [long]}
        for city in ("Ulm", "Rome", "Oslo", "Lima")
    ]
    prepared.write("long.jsonl", *rows)
    trained(prepared, prepared.folder / "long.jsonl").well()

"""Artifacts that are missing, damaged or do not belong together: one line that names both, exit code 4."""

import json
import shutil

import numpy as np
import orjson
import pytest
from safetensors.numpy import load_file, save_file

from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import open_base

QUESTION = ("search", "who was born in Rome")


def fails(program, *arguments, status=4, **options):
    """Run a command that must fail and change nothing; return its one line."""
    with program.unchanged():
        ended = program.call(*arguments, **options)
    assert ended.status == status, ended.stderr
    assert ended.stdout == ""
    return ended.error


def rewrite(path, change):
    """Change the tensors of a safetensors file."""
    tensors = {name: np.array(tensor) for name, tensor in load_file(path).items()}
    change(tensors)
    save_file(tensors, path)


@pytest.mark.parametrize(
    ("missing", "arguments", "told"),
    [
        (
            "passages",
            ["index", "--kind", "bm25"],
            "the passage store does not exist; run `densecli preprocess` first",
        ),
        ("passages", ["embed"], "the passage store does not exist; run `densecli preprocess` first"),
        ("passages", ["mine-negatives", "questions.jsonl"], "the passage store does not exist"),
        ("passages", [*QUESTION, "--retriever", "base"], "the passage store does not exist"),
        ("vectors", ["index"], "the vector store does not exist; run `densecli embed` first"),
        (
            "index",
            [*QUESTION, "--mode", "dense"],
            "no index; run `densecli embed` and `densecli index` first",
        ),
        ("bm25", [*QUESTION, "--mode", "bm25"], "no bm25 index; run `densecli index --kind bm25` first"),
        ("examples", ["train", "--encoder", "base"], "no training examples; run `densecli mine-negatives"),
    ],
)
def test_a_missing_stage_is_named(prepared, missing, arguments, told):
    shutil.rmtree(prepared.workspace / missing)
    assert told in fails(prepared, *arguments)


@pytest.mark.parametrize("name", ["passages", "vectors", "index", "bm25"])
def test_a_result_without_its_manifest_is_incomplete(prepared, name):
    (prepared.workspace / name / "manifest.json").unlink()
    line = {"passages": ("embed",), "vectors": ("index",), "bm25": (*QUESTION, "--mode", "bm25")}.get(
        name, QUESTION
    )
    assert "is not complete (no manifest.json)" in fails(prepared, *line)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["embed", "--passages", "vectors"],
            "vectors: is an artifact of kind vectors, and passages is needed",
        ),
        (
            ["index", "--vectors", "passages"],
            "passages: is an artifact of kind passages, and vectors is needed",
        ),
        (
            [*QUESTION, "--index", "passages"],
            "passages: is an artifact of kind passages, and index or bm25 is needed",
        ),
        (
            [*QUESTION, "--index", "vectors"],
            "vectors: is an artifact of kind vectors, and index or bm25 is needed",
        ),
        (
            ["mine-negatives", "questions.jsonl", "--bm25", "index"],
            "index: is an artifact of kind index, and bm25 is needed",
        ),
        ([*QUESTION, "--retriever", "index"], "index/config.json: the model's config is missing"),
        (
            ["read", "found.jsonl", "--reader", "retriever"],
            "retriever/model.json: a model of kind 'retriever'; a reader is needed",
        ),
    ],
)
def test_a_result_of_another_kind_is_refused(prepared, arguments, told):
    command, *words = arguments
    line = [prepared.workspace / word if (prepared.workspace / word).is_dir() else word for word in words]
    assert told in fails(prepared, command, *line)


def test_a_bm25_index_in_place_of_a_dense_one_is_refused(prepared):
    shutil.rmtree(prepared.workspace / "index")
    shutil.copytree(prepared.workspace / "bm25", prepared.workspace / "index")
    assert "index: is an artifact of kind bm25, and index is needed" in fails(prepared, *QUESTION)


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [
        ("passages", "passages.arrow", ("embed", "--force")),
        ("passages", "passages.arrow", QUESTION),
        ("vectors", "shard-00000.npy", ("index", "--force")),
        ("index", "index.faiss", QUESTION),
        ("bm25", "rows.npy", (*QUESTION, "--mode", "bm25")),
        ("retriever", "question/weights.safetensors", QUESTION),
        ("retriever", "question/config.json", QUESTION),
        ("retriever", "question/graph.onnx", QUESTION),
        ("retriever", "tokenizer.json", QUESTION),
        ("retriever", "model.json", QUESTION),
        ("retriever", "question/words.safetensors", QUESTION),
        ("retriever", "passage/weights.safetensors", ("embed", "--force")),
        ("reader", "encoder/weights.safetensors", ("read", "found.jsonl")),
        ("reader", "encoder/words.safetensors", ("read", "found.jsonl")),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_damaged_file_is_reported(prepared, name, file, line, damage):
    path = prepared.workspace / name / file
    if damage == "missing":
        path.unlink()
        if file.endswith("graph.onnx"):
            return  # torch does without it: see below
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told = fails(prepared, *line)
    assert str(path if file not in ("rows.npy", "model.json") else path.parent) in told


def test_a_tower_without_its_compiled_form_runs_in_torch(prepared):
    found = prepared.call(*QUESTION).well().rows[0]["ctxs"]
    (prepared.workspace / "retriever" / "question" / "graph.onnx").unlink()
    again = prepared.call(*QUESTION).well().rows[0]["ctxs"]
    assert [ctx["id"] for ctx in again] == [ctx["id"] for ctx in found]
    np.testing.assert_allclose([ctx["score"] for ctx in again], [ctx["score"] for ctx in found], rtol=1e-4)


def test_a_model_folder_without_weights_is_refused(prepared):
    bare = prepared.folder / "bare"
    shutil.copytree(prepared.folder / "base", bare)
    (bare / "model.safetensors").unlink()
    for line in (
        ("train", "--encoder", bare),
        ("train-reader", "found.jsonl", "--encoder", bare),
        ("embed", "--retriever", bare),
    ):
        assert f"{bare}: no model.safetensors in it" in fails(prepared, *line, "--force")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda found: found.pop("encoder.layer.1.output.dense.bias"),
            "weight encoder.layer.1.output.dense.bias of shape (32,) is missing",
        ),
        (
            lambda found: found.update({"encoder.layer.0.output.dense.bias": np.zeros(31, np.float32)}),
            "weight encoder.layer.0.output.dense.bias has shape (31,); the config asks for (32,)",
        ),
        (
            lambda found: found["encoder.layer.0.output.dense.bias"].fill(np.nan),
            "encoder.layer.0.output.dense.bias holds values that are not finite",
        ),
    ],
    ids=["missing", "another shape", "not finite"],
)
def test_weights_that_do_not_fit_are_an_error(prepared, change, told):
    base = prepared.folder / "base" / "model.safetensors"
    rewrite(base, change)
    for line in (
        ("train", "--encoder", "base"),
        ("train-reader", "found.jsonl", "--encoder", "base"),
        ("embed", "--retriever", "base"),
    ):
        assert told in fails(prepared, *line, "--force")
    for name, tower, line in (
        ("retriever", "passage", ("embed", "--force")),
        ("reader", "encoder", ("read", "found.jsonl")),
        ("retriever", "question", QUESTION),
    ):
        rewrite(prepared.workspace / name / tower / "weights.safetensors", change)
        error = fails(prepared, *line)
        others = (
            "gives values that are not finite",
            "was compiled for another",
            "built with another retriever",
        )
        assert any(words in error for words in (told, *others))


@pytest.fixture
def other(prepared, tiny_base):
    """A retriever that differs from the workspace's in its weights alone."""
    save_retriever(open_base(str(tiny_base), "mean", 64, 64), prepared.folder / "other")
    return prepared.folder / "other"


def test_vectors_of_another_model_are_refused(prepared, other):
    told = fails(prepared, *QUESTION, "--retriever", other)
    assert "index was built with another retriever" in told
    assert str(other) in told
    assert "name that one with --retriever, or run `densecli embed --force`" in told
    shutil.rmtree(prepared.workspace / "retriever")
    shutil.copytree(other, prepared.workspace / "retriever")
    assert "index was built with another retriever" in fails(prepared, *QUESTION)
    assert "built differently (its input was" in fails(prepared, "embed")


def test_vectors_of_another_width_are_refused(prepared):
    """Even where the manifest has been changed to say that they fit."""
    shard = prepared.workspace / "vectors" / "shard-00000.npy"
    np.save(shard, np.zeros((36, 8), np.float32))
    assert "float32 (36, 8), the manifest says float32 (n, 32)" in fails(prepared, "index", "--force")


@pytest.mark.parametrize("mode", ["dense", "bm25"])
def test_an_index_over_other_passages_is_refused(prepared, mode):
    prepared.write("more.jsonl", {"id": 1, "text": "one more"})
    prepared.call("preprocess", "articles.jsonl", "more.jsonl", "--words", 20, "--force").well()
    told = fails(prepared, *QUESTION, "--mode", mode)
    assert "was built over other passages" in told
    assert "passages has" in told
    assert ("index --kind bm25 --force" if mode == "bm25" else "`densecli embed --force`, then") in told
    if mode == "dense":
        assert "vectors was built over other passages" in fails(prepared, "index", "--force")
    if mode == "bm25":
        assert "was built over other passages" in fails(
            prepared, "mine-negatives", "questions.jsonl", "--force"
        )
    assert fails(prepared, "embed").endswith("rebuild with --force")


def test_fewer_passages_than_k_give_a_warning(prepared):
    for mode in ("dense", "bm25"):
        ended = prepared.call(*QUESTION, "-k", 1000, "--mode", mode).well()
        warnings = [line for line in ended.stderr.splitlines() if "-k is 1000" in line]
        assert warnings == ["warning: -k is 1000, and the collection has 36 passages: all are shown"]
        ids = [ctx["id"] for ctx in ended.rows[0]["ctxs"]]
        assert len(ids) == len(set(ids)) <= 36
        assert mode == "bm25" or len(ids) == 36
    assert "-k is" not in prepared.call(*QUESTION).well().stderr


def test_a_missing_model_is_reported(prepared):
    for line in (
        ("embed", "--force", "--retriever"),
        (*QUESTION, "--retriever"),
        ("train", "--force", "--encoder"),
    ):
        assert "nowhere/at-all: not on this disk" in fails(prepared, *line, "nowhere/at-all")
        assert "./nowhere: no such model folder" in fails(prepared, *line, "./nowhere")
    assert "nowhere: no such model folder" in fails(prepared, "read", "found.jsonl", "--reader", "nowhere")


def test_results_without_text_are_refused_by_read(prepared):
    prepared.call("search", "questions.jsonl", "--no-text", "-o", "bare.jsonl").well()
    assert "text" in fails(prepared, "read", "bare.jsonl", status=3)
    assert "text" in fails(prepared, "train-reader", "bare.jsonl", "--encoder", "base", "--force", status=3)
    assert prepared.call("evaluate", "bare.jsonl").well().rows[0]["questions"] == 12


def test_a_model_card_with_an_unknown_value_is_refused(prepared):
    path = prepared.workspace / "retriever" / "model.json"
    model_config = orjson.loads(path.read_bytes())
    for change, told in (
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"schema": 9}, "schema 9"),
        ({"kind": "reader"}, "kind 'reader'"),
    ):
        path.write_text(json.dumps(model_config | change))
        assert told in fails(prepared, *QUESTION)


def test_other_answers_are_matched_again(prepared):
    before = prepared.call("evaluate", "found.jsonl").well().rows[0]["top_k"]
    assert max(before.values()) > 0
    rows = [json.loads(line) for line in (prepared.folder / "questions.jsonl").read_text().splitlines()]
    same = [{"id": str(place), **row} for place, row in enumerate(rows, 1)]
    for name, answers in (("same", None), ("other", ["nowhere at all"])):
        prepared.write(f"{name}.jsonl", *({**row, "answers": answers or row["answers"]} for row in same))
    measured = {
        name: prepared.call("evaluate", "found.jsonl", "--questions", f"{name}.jsonl").well().rows[0]["top_k"]
        for name in ("same", "other")
    }
    assert measured == {"same": before, "other": dict.fromkeys(before, 0.0)}

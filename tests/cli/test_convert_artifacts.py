"""Models, vectors and indexes through `densecli convert`: out to other programs' files and back again."""

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

GOLDEN = Path(__file__).parents[1] / "golden"
ASKED = ("search", "who was born in Ulm", "-k", 5, "--mode", "dense")


@pytest.fixture
def with_cls(prepared):
    """The tiny place with a model that DPR's formats can say."""
    model_config = prepared.workspace / "retriever" / "model.json"
    assert json.loads(model_config.read_text())["pooling"] == "cls"
    return prepared


def found(program, *options):
    rows = program.call(*ASKED, *options).well().rows
    return [(ctx["id"], round(ctx["score"], 3)) for ctx in rows[0]["ctxs"]]


def base(program):
    """What a checkpoint does not hold."""
    folder = program.folder / "bare"
    folder.mkdir()
    for name in ("tokenizer.json", "config.json"):
        (folder / name).write_bytes((program.folder / "base" / name).read_bytes())
    return folder


@pytest.mark.parametrize("to", ["dpr-hf", "sentence-transformers", "dpr-checkpoint"])
def test_a_retriever_survives_a_round_trip_in_every_format(with_cls, to):
    retriever = with_cls.workspace / "retriever"
    name = "x.cp" if to == "dpr-checkpoint" else "other"
    with_cls.call("convert", retriever, "--to", to, "-o", name).well()
    more = ("--base", base(with_cls)) if name == "x.cp" else ()
    with_cls.call("convert", name, "--to", "retriever", *more, "-o", "back").well()
    for part in ("question/weights.safetensors", "passage/words.safetensors"):
        ours, theirs = (load_file(place / part) for place in (with_cls.folder / "back", retriever))
        for weight in ours.keys() - {"embeddings.token_type_embeddings.weight"}:
            assert (ours[weight] == theirs[weight]).all()
    expected = found(with_cls)
    with_cls.call("embed", "--retriever", "back", "-o", "vectors").well()
    with_cls.call("index", "--vectors", "vectors", "-o", "index").well()
    assert found(with_cls, "--retriever", "back", "--index", "index") == expected


def test_any_encoder_is_converted_to_a_retriever(prepared):
    """A plain folder gives both towers, compiled, with the vectors that it gives as it is."""
    prepared.call("convert", "base", "--to", "retriever", "-o", "own").well()
    assert (prepared.folder / "own" / "question" / "graph.onnx").is_file()
    for name in ("own", "base"):
        prepared.call("embed", "--retriever", name, "-o", f"{name}-vectors", "--precision", "fp32").well()
        prepared.call("index", "--vectors", f"{name}-vectors", "-o", f"{name}-index").well()
    ours, theirs = (found(prepared, "--retriever", x, "--index", f"{x}-index") for x in ("own", "base"))
    assert [one for one, _ in ours] == [one for one, _ in theirs]
    assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=2e-3)


@pytest.mark.parametrize("to", ["dpr-hf", "dpr-checkpoint"])
def test_a_reader_survives_a_round_trip_in_every_format(prepared, to):
    reader = prepared.workspace / "reader"
    name = "x.cp" if to == "dpr-checkpoint" else "other"
    prepared.call("convert", reader, "--to", to, "-o", name).well()
    more = ("--base", base(prepared)) if name == "x.cp" else ()
    prepared.call("convert", name, "--to", "reader", *more, "-o", "back").well()
    ours, theirs = (
        [row["answer"] for row in prepared.call("read", "found.jsonl", *options).well().rows]
        for options in (("--reader", "back"), ())
    )
    assert ours == theirs


def test_vectors_and_indexes_survive_a_round_trip_in_every_format(prepared):
    expected = found(prepared)
    for program in ("dpr", "pyserini"):
        for what in ("vectors", "index"):
            place = prepared.workspace / what
            options = ("--id-prefix", "wiki:", "-o", f"{program}-{what}")
            prepared.call("convert", place, "--to", f"{program}-{what}", *options).well()
            back = f"{program}-{what}-back"
            prepared.call("convert", f"{program}-{what}", "--to", what, "-o", back).well()
            index = back
            if what == "vectors":
                index = f"{back}-index"
                prepared.call("index", "--vectors", back, "-o", index).well()
            assert found(prepared, "--index", index) == expected
            again = prepared.call("convert", f"{program}-{what}", "--to", what, "-o", back)
            assert "up to date" in again.well().stderr


def test_files_of_dpr_answer_questions(program):
    """Checkpoint, shard and index of the reference, over the passages that they were made of."""
    recorded = json.loads((GOLDEN / "checkpoint.json").read_text())["forward"]
    rows = [{"id": str(n), **one} for n, one in enumerate(recorded["passages"], 1)]
    program.write("passages.jsonl", *rows)
    program.call("preprocess", "passages.jsonl", "--no-split").well()
    (program.folder / "bert").mkdir()
    program.write("bert/config.json", recorded["bert_config"])
    program.write("bert/vocab.txt", (GOLDEN / "tiny-vocab" / "vocab.txt").read_bytes())
    checkpoint = (GOLDEN / "tiny_biencoder.hydra.cp", "--to", "retriever", "--base", "bert")
    program.call("convert", *checkpoint, "-o", ".densecli/retriever").well()
    shard = (GOLDEN / "tiny_embeddings_0", "--to", "vectors")
    program.call("convert", *shard, "-o", ".densecli/vectors").well()
    program.call("index").well()
    for question, scores in zip(recorded["questions"], recorded["scores"], strict=True):
        hits = program.call("search", question, "--mode", "dense").well().rows[0]["ctxs"]
        assert {hit["id"]: hit["score"] for hit in hits} == pytest.approx(
            {str(n): score for n, score in enumerate(scores, 1)}, abs=1e-5
        )
    other = program.call("convert", GOLDEN / "tiny_index_dir", "--to", "index", "-o", "index")
    assert "vectors of 4 components; the retriever's have 16" in other.error


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("found.jsonl", "--to", "retriever", "-o", "x"), "not a file of torch.save"),
        (("base", "--to", "retriever"), "name it with --output"),
        (("base", "--to", "reader", "-o", "x"), "a model of type 'bert'"),
        (("nowhere", "--to", "vectors", "-o", "x"), "no such file"),
        (("found.jsonl", "--to", "vectors", "-o", "x"), "is no list of numbers"),
        (("base", "--to", "index", "-o", "x"), "no index in it"),
        (
            (".densecli/index", "--to", "dpr-vectors", "-o", "x"),
            "is an artifact of kind index, and vectors is needed",
        ),
        (("base", "--to", "retriever", "--passages", "p", "-o", "x"), "--passages has no effect"),
        (("base", "--to", "dpr-hf", "--retriever", "r", "-o", "x"), "--retriever has no effect"),
        (("base", "--to", "dpr-hf", "--from", "dpr", "-o", "x"), "--from has no effect"),
        (("base", "--to", "dpr-hf", "--base", "b", "-o", "x"), "--base has an effect only with --to"),
        (("found.jsonl", "--to", "trec", "--retriever", "r"), "--retriever has an effect only with --to"),
    ],
)
def test_impossible_conversions_are_refused(prepared, arguments, told):
    assert told in prepared.call("convert", *arguments).error
    assert not (prepared.folder / "x").exists()

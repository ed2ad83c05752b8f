"""Training the question encoder alone, over the vectors that are there."""

import json
import shutil

import pytest

from cli.test_bad_input import fails
from unit_encoder import write_unit_encoder

SMALL = (
    "--epochs",
    2,
    "--batch-size",
    4,
    "--max-passage-tokens",
    64,
    "--device",
    "cpu",
    "--learning-rate",
    1e-3,
)
FIXED = ("train", "questions", "--encoder", ".densecli/retriever", "--fixed-passage-encoder", *SMALL)


@pytest.fixture(scope="module")
def place(tiny_place, tmp_path_factory):
    """One place for all of these; each writes its own results."""
    from cli.program import Program

    own = tmp_path_factory.mktemp("fixed")
    shutil.copytree(tiny_place, own / "place")
    program = Program(own / "place", own)
    yield program
    program.stop()


def test_vectors_and_index_of_the_workspace_are_used(place):
    done = place.call(*FIXED, "-o", "new").well()
    assert "no stored vectors" not in done.stderr
    assert "embed examples" not in done.stderr
    inputs = [
        row["path"] for row in json.loads((place.folder / "new" / "manifest.json").read_text())["inputs"]
    ]
    assert any(path.endswith("vectors") for path in inputs)
    ended = place.call("search", "who was born in Rome", "--mode", "dense", "--retriever", "new").well()
    assert ended.stdout
    assert "up to date" in place.call(*FIXED, "-o", "new").well().stderr


def test_the_passage_encoder_keeps_its_length(place):
    without = [word for word in FIXED if word not in ("--max-passage-tokens", 64)]
    done = place.call(*without, "-o", "kept", "--vectors", ".densecli/vectors").well()
    config = json.loads((place.folder / "kept" / "model.json").read_text())
    assert config["max_passage_tokens"] == 64
    assert "no stored vectors" not in done.stderr


def test_vectors_that_do_not_fit_are_ignored_with_a_message(place):
    wide = [word if word != 64 else 128 for word in FIXED]
    done = place.call(*wide, "-o", "wide").well()
    assert "no stored vectors are used: " in done.stderr
    assert "vectors: made with --max-passage-tokens 64" in done.stderr
    ended = place.call(*wide, "-o", "other", "--vectors", ".densecli/vectors")
    told = "made with --max-passage-tokens 64, as .densecli/retriever is, but 128 is asked for"
    assert (ended.status, told in ended.error) == (4, True)
    said = fails(place, "train", "questions", "--vectors", ".densecli/vectors", status=2)
    assert said == "--vectors has an effect only with --fixed-passage-encoder"


def test_a_converted_encoder_with_normalized_vectors_keeps_its_index(place):
    """Such a model compares by dot products; training by cosine gives the passages no other vectors."""
    write_unit_encoder(place.folder / "base", place.folder / "unit")
    place.call("convert", "unit", "--to", "retriever", "-o", "unit-retriever").well()
    place.call("embed", "--retriever", "unit-retriever", "-o", "unit-vectors").well()
    place.call("index", "--vectors", "unit-vectors", "-o", "unit-index").well()
    line = [word if word != ".densecli/retriever" else "unit-retriever" for word in FIXED if word != 64]
    line.remove("--max-passage-tokens")
    options = ("--index-negatives", "3", "--vectors", "unit-vectors", "-o", "unit-new")
    done = place.call(*line, *options, "--dev", "questions.jsonl", "--validate-by", "search").well()
    assert "cosine" in done.stderr
    assert "dev top-1" in done.stderr
    found = place.call(
        "search",
        "who was born in Rome",
        "--mode",
        "dense",
        "--retriever",
        "unit-new",
        "--index",
        "unit-index",
    ).well()
    assert found.stdout

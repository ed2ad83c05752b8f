"""A workspace of version 0.1.0, whose manifests had no kinds and no digests, is as good as one of today."""

import json
import shutil
from pathlib import Path

import pytest

import densecli
from densecli.artifacts.kinds import (
    Bm25Manifest,
    ExamplesManifest,
    IndexManifest,
    PassagesManifest,
    ReaderManifest,
    RetrieverManifest,
    VectorsManifest,
)
from densecli.artifacts.manifest import read_any_manifest
from densecli.observer import Observer

MADE = Path(__file__).parent / "workspace_0_1"
SMALL = {
    "encoder": "base", "batch_size": 2, "epochs": 2, "max_passage_tokens": 48, "learning_rate": 1e-3,
    "device": "cpu", "precision": "fp32",
}  # fmt: skip
EARLIER = Path("workspace")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The working directory: a copy of the files from which the workspace was made, and of itself."""
    shutil.copytree(MADE, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def test_an_old_workspace_gives_the_same_answers(place):
    before = [json.loads(line) for line in Path("found.jsonl").read_text().splitlines()]
    found = [one.to_json() for one in densecli.search(Path("questions.jsonl"), workspace=EARLIER, k=3)]
    assert [[ctx["id"] for ctx in row["ctxs"]] for row in found] == [
        [ctx["id"] for ctx in row["ctxs"]] for row in before
    ]
    for row, other in zip(found, before, strict=True):
        for ctx, its in zip(row["ctxs"], other["ctxs"], strict=True):
            assert ctx["score"] == pytest.approx(its["score"], abs=1e-3)


def test_the_reader_of_an_old_workspace_answers(place):
    (prediction,) = densecli.read(["who was born in Ulm"], workspace=EARLIER)
    assert prediction.ranked.ctxs


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (densecli.preprocess, {"corpus": "articles.jsonl", "words": 20}),
        (densecli.index, {"kind": "bm25"}),
        (densecli.index, {}),
        (densecli.mine_negatives, {"questions": "questions.jsonl"}),
        (densecli.embed, {"precision": "fp32", "engine": "torch"}),
        (densecli.train, {"training_examples": "questions", **SMALL}),
        (
            densecli.train_reader,
            {
                "results": "found.jsonl", "joint": "workspace/retriever", "encoder": "base", "batch_size": 2,
                "max_tokens": 48, "passages": 3, "precision": "fp32",
            },
        ),
    ],
    ids=["passages", "bm25", "index", "examples", "vectors", "retriever", "reader"],
)  # fmt: skip
def test_an_old_workspace_is_up_to_date(place, make, arguments):
    assert make(workspace=EARLIER, **arguments).up_to_date


def test_manifests_of_an_old_workspace_have_kinds_and_typed_fields():
    def read(name):
        return read_any_manifest(MADE / "workspace" / name)

    passages, vectors, index = read("passages"), read("vectors"), read("index")
    assert isinstance(passages, PassagesManifest)
    assert isinstance(vectors, VectorsManifest)
    assert isinstance(index, IndexManifest)
    assert (vectors.rows, vectors.dimension, vectors.shards) == (12, 8, 1)
    assert (index.structure, index.vectors) == ("flat", vectors.fingerprint)
    assert vectors.passages == index.passages == passages.fingerprint
    assert isinstance(read("bm25"), Bm25Manifest)
    assert isinstance(read("examples/questions"), ExamplesManifest)
    retriever, reader, joint = read("retriever"), read("reader"), read("reader/retriever")
    assert isinstance(retriever, RetrieverManifest)
    assert retriever.training is not None
    assert retriever.training.steps == 6
    assert retriever.fingerprint == vectors.retriever
    assert isinstance(reader, ReaderManifest)
    assert (reader.retriever, reader.joint_retriever) == (retriever.fingerprint, joint.fingerprint)
    assert isinstance(joint, RetrieverManifest)
    assert joint.temperature == 0.05
    assert passages.files is not None
    assert passages.files["ids.npy"].sha256 is None


class Said(Observer):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_an_interrupted_training_of_an_old_workspace_resumes(place):
    said = Said()
    settings = {**SMALL, "epochs": 3, "gradient_checkpointing": True}
    made = densecli.train(
        "questions",
        dev="questions",
        workspace=EARLIER,
        output=EARLIER / "question",
        observer=said,
        **settings,
    )
    assert not made.up_to_date
    assert "resuming after update 4" in said.messages
    lines = (made.folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 10))
    assert lines[:4] == (MADE / "workspace/.question.partial/work/metrics.jsonl").read_text().splitlines()[:4]

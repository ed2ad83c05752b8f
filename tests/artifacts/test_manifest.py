import json

import pytest

from densecli.artifacts.kinds import (
    KINDS,
    NAME,
    Bm25Manifest,
    ExamplesManifest,
    ExportManifest,
    IndexManifest,
    Made,
    Manifest,
    PassagesManifest,
    ReaderManifest,
    RetrieverManifest,
    StoredFile,
    TrainedSet,
    Training,
    VectorsManifest,
    versions,
)
from densecli.artifacts.manifest import outline, read_any_manifest, read_manifest
from densecli.artifacts.recipe import Input, Recipe
from densecli.errors import ArtifactError

TRAINING = Training(
    steps=8,
    steps_planned=9,
    ended_early=True,
    loss=0.5,
    cut={"questions": 0.25},
    doubt="the loss did not fall",
    validation={"loss": 0.7},
    best_validation={"loss": 0.6},
    best_step=4,
    untrained={"loss": 1.5},
    epochs=3,
    sets=(TrainedSet("WORKSPACE/examples/nq", 100, 1.0, 25),),
)
COMMON = {
    "fingerprint": "f00d",
    "recipe": Recipe("embed", {"shard_rows": 256, "warmup": None}, (Input("-"), Input("a", "d1", 3))),
    "counts": {"passages": 3},
    "made": Made("0.1.0", versions(), "2026-01-02T03:04:05+00:00", 1.5),
}
MANIFESTS = [
    PassagesManifest(**COMMON),
    Bm25Manifest(**COMMON, passages="p"),
    VectorsManifest(**COMMON, retriever="r", passage_tower="t", passages="p", rows=3, dimension=2, shards=1),
    IndexManifest(**COMMON, retriever="r", passages="p", vectors="v", structure="hnsw", dimension=2),
    ExamplesManifest(**COMMON, passages="p"),
    RetrieverManifest(**COMMON, training=TRAINING, temperature=0.05),
    RetrieverManifest(**COMMON),
    ReaderManifest(**COMMON, retriever="old", joint_retriever="new", training=TRAINING),
    ExportManifest(**COMMON),
]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: one.kind)
def test_each_kind_is_read_as_it_was_written(tmp_path, manifest):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x").write_bytes(b"abc")
    written = manifest.write(tmp_path)
    assert written.files == {
        "deep/x": StoredFile(3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
    assert read_manifest(tmp_path, type(manifest)) == read_any_manifest(tmp_path) == written
    row = json.loads((tmp_path / NAME).read_text())
    assert (row["format_version"], row["kind"]) == (2, manifest.kind)


def test_there_is_a_manifest_for_every_kind():
    assert {one.kind for one in MANIFESTS} == KINDS.keys()


def test_a_missing_artifact_is_named_with_the_command_that_makes_it(tmp_path):
    message = r"x: the vector store does not exist; run `densecli embed` first"
    with pytest.raises(ArtifactError, match=message):
        read_manifest(tmp_path / "x", VectorsManifest)
    message = r"is not complete \(no manifest.json\); run `densecli embed` first"
    with pytest.raises(ArtifactError, match=message):
        read_manifest(tmp_path, VectorsManifest)
    (tmp_path / "pool.tsv").write_text("id\ttext\n")
    message = r"pool.tsv: is a file, and the vector store is a folder; run `densecli embed` first"
    with pytest.raises(ArtifactError, match=message):
        read_manifest(tmp_path / "pool.tsv", VectorsManifest)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'"\\ud83d"', b"\xff", b"[" * 100_000, b'{"name": "a web page", "icons": []}']
)
def test_an_unreadable_manifest_is_refused(tmp_path, data):
    (tmp_path / NAME).write_bytes(data)
    assert outline(tmp_path) is None
    with pytest.raises(ArtifactError, match="unreadable manifest.json.*remove the folder"):
        read_manifest(tmp_path, VectorsManifest)


def change(tmp_path, manifest, **changes):
    manifest.write(tmp_path)
    row = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps({**row, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 99}, r"made by another version .*rebuild it with `densecli embed --force`"),
        ({"format_version": "2"}, r"made by another version \(format '2'"),
        ({"kind": "index"}, r"is an artifact of kind index, and vectors is needed"),
        ({"kind": "odd"}, r"is an artifact of kind unknown"),
        ({"kind": []}, r"is an artifact of kind unknown"),
        ({"fingerprint": 3}, r"damaged \(fingerprint is 3\); rebuild it with `densecli embed --force`"),
        ({"facts": {}}, r"damaged \(no 'rows'"),
        ({"facts": []}, r"damaged \(facts is \[\]"),
        ({"facts": {"rows": "\u202e", "dimension": 2, "shards": 1}}, "damaged"),
        ({"facts": {"rows": -3, "dimension": 2, "shards": 1}}, r"damaged \(rows is -3\)"),
        ({"facts": {"rows": True, "dimension": 2, "shards": 1}}, "damaged"),
        ({"facts": {"rows": 3, "dimension": 2, "shards": 10**15}}, "damaged"),
        ({"facts": {"rows": 10**18, "dimension": 2, "shards": 1}}, "damaged"),
        ({"parents": {"retriever": "r"}}, r"damaged \(no 'passages'"),
        ({"counts": {"passages": "three"}}, r"damaged \(counts.passages is 'three'\)"),
        ({"inputs": {}}, "damaged"),
        ({"inputs": [3]}, "damaged"),
        ({"files": {"x": "3"}}, "damaged"),
        ({"timing": {"seconds": "1"}}, "damaged"),
    ],
)
def test_a_damaged_manifest_is_refused_with_a_reason(tmp_path, changes, message):
    manifest = next(one for one in MANIFESTS if one.kind == "vectors")
    change(tmp_path, manifest, **changes)
    with pytest.raises(ArtifactError, match=message):
        read_manifest(tmp_path, VectorsManifest)
    assert outline(tmp_path) is not None


def test_a_manifest_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / NAME, "wb") as stream:
        stream.truncate(65 << 20)
    assert outline(tmp_path) is None


def test_an_unknown_setting_is_kept(tmp_path):
    change(tmp_path, ExportManifest(**COMMON), config={"later": [1, {"deep": None}]}, facts={"later": 3})
    assert read_manifest(tmp_path, ExportManifest).recipe.config == {"later": [1, {"deep": None}]}


def test_one_of_two_kinds_may_be_expected(tmp_path):
    Bm25Manifest(**COMMON, passages="p").write(tmp_path)
    made: Manifest = read_manifest(tmp_path, IndexManifest, Bm25Manifest)
    assert isinstance(made, Bm25Manifest)


def test_scratch_is_not_part_of_the_artifact(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state").touch()
    (tmp_path / "kept").touch()
    assert ExportManifest(**COMMON).write(tmp_path, without=["checkpoint"]).files.keys() == {"kept"}

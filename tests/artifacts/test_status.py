"""`densecli.status` on a small workspace, made by 0.1.0 and brought into today's form."""

import json
import shutil
from pathlib import Path

import pytest

import densecli
from densecli.artifacts.manifest import outline, read_any_manifest
from densecli.configs.status import StatusConfig
from densecli.errors import ArtifactError
from densecli.records import Article

MADE = Path(__file__).parent / "workspace_0_1" / "workspace"
NAMES = ["passages", "bm25", "examples/questions", "retriever", "vectors", "index", "reader"]
NO_DIGEST = {"manifest.json", "fusion.json"}
"""A changed manifest is told by its type or its fingerprints, and a tuned λ by its fields."""


@pytest.fixture
def place(tmp_path):
    """The workspace with manifests of today."""
    place = shutil.copytree(MADE, tmp_path / "workspace")
    shutil.rmtree(place / ".question.partial")
    for manifest in sorted(place.rglob("manifest.json"), reverse=True):  # of a reader's retriever first
        read_any_manifest(manifest.parent).write(manifest.parent, without=["fusion.json"])
    return place


def states(place, **settings):
    return {one.name: one.state for one in densecli.status(place, **settings).artifacts}


def one(place, name, **settings):
    (found,) = (one for one in densecli.status(place, **settings).artifacts if one.name == name)
    return found


def test_a_consistent_workspace_has_no_problem(place):
    found = densecli.status(place, verify=True)
    assert [one.name for one in found.artifacts] == NAMES
    assert {one.state for one in found.artifacts} == {"up to date"}
    assert [one.items for one in found.artifacts] == [12, 12, 6, None, 12, 12, None]
    assert {one.unverified for one in found.artifacts} == {0}
    assert not found.damaged
    assert found.next == "densecli search QUESTION"
    passages = found.artifacts[0]
    assert (passages.kind, passages.command, passages.next) == ("passages", "preprocess", "")
    assert passages.bytes == sum(path.stat().st_size for path in (place / "passages").iterdir())
    assert passages.finished.startswith("2026-")


def test_every_changed_file_is_found_by_a_verification(place):
    for path in sorted(place.rglob("*")):
        if not path.is_file() or path.name in NO_DIGEST:
            continue
        data = path.read_bytes()
        changed = bytearray(data)
        changed[len(data) // 2] ^= 4
        path.write_bytes(changed)
        assert not densecli.status(place).damaged, "it has the same size"
        (found,) = densecli.status(place, verify=True).damaged
        assert path.is_relative_to(place / found.name)
        assert f"{path.relative_to(place / found.name).as_posix()} is damaged" in found.reason
        assert found.next.startswith("densecli ")
        path.write_bytes(data)


def test_sizes_are_always_compared(place):
    path = place / "passages" / "ids.npy"
    path.write_bytes(path.read_bytes()[:-1])
    (place / "vectors" / "shard-00000.npy").unlink()
    found = densecli.status(place)
    assert [one.name for one in found.damaged] == ["passages", "vectors"]
    assert found.damaged[0].reason == "ids.npy has 319 bytes, not 320"
    assert found.damaged[0].next == "densecli preprocess CORPUS --force"
    assert found.damaged[1].reason == "shard-00000.npy is missing"


def test_files_without_digests_are_counted(tmp_path):
    place = shutil.copytree(MADE, tmp_path / "workspace")
    found = densecli.status(place, config=StatusConfig(verify=True))
    assert {one.state for one in found.artifacts} == {"up to date", "unfinished"}
    assert one(place, "passages", verify=True).unverified == 2
    assert found.artifacts[-1].name == "question"
    assert found.artifacts[-1].state == "unfinished"
    weights = place / "retriever" / "question" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert one(place, "retriever", verify=True).reason == "the model is not the one of its manifest"


def change(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_artifacts_of_other_passages_are_stale(place):
    change(place / "passages", fingerprint="other")
    found = states(place)
    assert found["passages"] == "up to date"
    assert all(found[name] == "stale" for name in ("bm25", "vectors", "index", "examples/questions"))
    assert one(place, "bm25").reason == "it was made over other passages"
    assert densecli.status(place).next == "densecli index --kind bm25 --force"


def test_the_command_makes_the_same_kind_of_artifact_in_the_same_place(place):
    change(place / "passages", fingerprint="other")
    shutil.copytree(place / "index", place / "graph")
    facts = json.loads((place / "graph" / "manifest.json").read_text())["facts"]
    change(place / "graph", facts={**facts, "kind": "hnsw"})
    assert one(place, "index").next == "densecli index --force"
    assert one(place, "graph").next == f"densecli index --kind hnsw -o {place / 'graph'} --force"
    change(place / "vectors", command="convert")
    taken = f"densecli convert INPUT --to vectors -o {place / 'vectors'} --force"
    assert one(place, "vectors").next == taken


def test_artifacts_of_other_vectors_or_examples_are_stale(place):
    change(place / "vectors", fingerprint="other")
    assert one(place, "index").reason == "it was made of other vectors"
    made = read_any_manifest(place / "retriever")
    inputs = [{"path": "WORKSPACE/examples/questions", "sha256": "older"}, made.recipe.inputs[1].to_json()]
    change(place / "retriever", inputs=inputs)
    assert one(place, "retriever").reason == "its input examples/questions has changed"


def test_vectors_fit_a_retriever_with_the_same_passage_tower(place):
    shutil.rmtree(place / "retriever")
    shutil.copytree(place / "reader" / "retriever", place / "retriever")
    assert states(place)["vectors"] == "up to date"
    model_config = place / "retriever" / "model.json"
    model_config.write_text(
        model_config.read_text().replace('"passage_prefix": ""', '"passage_prefix": "text: "')
    )
    assert one(place, "vectors").reason == "it was made by another retriever than the workspace's"


def test_an_index_is_enough_to_search(place):
    shutil.rmtree(place / "vectors")
    assert set(states(place).values()) == {"up to date"}
    assert densecli.status(place).next == "densecli search QUESTION"


def test_an_unreadable_manifest_is_reported_as_damage(place):
    (place / "index" / "manifest.json").write_text("{")
    assert outline(place / "index") is None
    found = one(place, "index")
    assert (found.state, found.kind, found.next) == ("damaged", "index", "densecli index --force")
    assert "unreadable manifest.json" in found.reason


def test_a_damaged_tuned_weight_is_reported_as_damage(place):
    (place / "index" / "fusion.json").write_text("{}")
    assert "fusion.json: not readable" in one(place, "index").reason


def test_the_next_command_of_a_new_workspace_is_shown(tmp_path):
    place = tmp_path / "new"
    with pytest.raises(ArtifactError, match="no such workspace"):
        densecli.status(place)
    place.mkdir()
    assert densecli.status(place).next == "densecli preprocess CORPUS"
    densecli.preprocess([Article("1", "Ulm", "Einstein was born in Ulm.")], workspace=place)
    assert densecli.status(place).next == "densecli index --kind bm25"
    densecli.index(workspace=place, kind="bm25")
    assert densecli.status(place).next == "densecli embed"

import orjson
import pytest

from densecli.artifacts.fusion_weight import FusionWeight
from densecli.artifacts.tuned_file import FUSION
from densecli.errors import ArtifactError

TUNED = FusionWeight(1.25, "score", "r", "b", "dev.jsonl", "d1", 85)


def test_a_stored_weight_is_read_again(tmp_path):
    assert TUNED.write(tmp_path, {"top_k": {"hybrid": {"20": 96.5}}}) == tmp_path / FUSION
    assert FusionWeight.read(tmp_path) == TUNED
    row = orjson.loads((tmp_path / FUSION).read_bytes())
    assert row["top_k"] == {"hybrid": {"20": 96.5}}
    assert [path.name for path in tmp_path.iterdir()] == [FUSION]


def test_a_later_weight_replaces_it(tmp_path):
    TUNED.write(tmp_path, {})
    later = FusionWeight(3.0, "min", "r2", "b2", "-", "", 7)
    later.write(tmp_path, {})
    assert FusionWeight.read(tmp_path) == later


def test_a_missing_weight_is_none(tmp_path):
    assert FusionWeight.read(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"weight": None},
        {"weight": "x"},
        {"weight": float("nan")},
        {"retriever": 3},
        {"bm25": None},
        {"questions": []},
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change):
    TUNED.write(tmp_path, {})
    path = tmp_path / FUSION
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | change))
    with pytest.raises(
        ArtifactError, match=r"fusion\.json: not readable .*run `densecli search --tune-lambda`"
    ):
        FusionWeight.read(tmp_path)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"7", b"\xff"])
def test_a_file_that_is_not_an_object_is_refused(tmp_path, data):
    (tmp_path / FUSION).write_bytes(data)
    with pytest.raises(ArtifactError, match="not readable"):
        FusionWeight.read(tmp_path)

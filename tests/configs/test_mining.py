import pytest

from densecli.configs.mining import MineConfig
from densecli.errors import UsageError


@pytest.mark.parametrize(
    ("negatives", "wanted"),
    [
        ("bm25", {"bm25": 10}),
        ("dense, random:50", {"dense": 10, "random": 50}),
        ("gold:0,bm25:100", {"gold": 0, "bm25": 100}),
        ("none", {}),
    ],
)
def test_the_negatives_setting_is_parsed(negatives, wanted):
    config = MineConfig(negatives=negatives)
    assert config.wanted == wanted
    assert list(config.wanted) == list(wanted)


@pytest.mark.parametrize(
    "negatives",
    [
        "bm52",
        "bm25:",
        "bm25:x",
        "bm25:-1",
        "bm25:1:2",
        "bm25:٣",
        "bm25,bm25:3",
        "random:10001",
        "bm25=3",
        ":",
    ],
)
def test_invalid_negatives_are_refused(negatives):
    with pytest.raises(UsageError, match="each of bm25, dense, random, gold at most once"):
        MineConfig(negatives=negatives)


def test_more_negatives_than_the_depth_are_refused():
    assert MineConfig(negatives="bm25,random:50", depth=5).wanted == {"bm25": 5, "random": 50}
    with pytest.raises(UsageError, match="`negatives` bm25:6 needs more than `depth` 5"):
        MineConfig(negatives="bm25:6", depth=5)

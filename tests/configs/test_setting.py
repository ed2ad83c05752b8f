import math
from dataclasses import dataclass, replace

import pytest

from densecli.configs.asking import SearchConfig
from densecli.configs.corpus import IndexConfig, PreprocessConfig
from densecli.configs.file import CONFIGS
from densecli.configs.setting import check, check_effect, described_fields, setting
from densecli.errors import UsageError


@dataclass(frozen=True)
class Example:
    count: int = setting(3, "A count.", min=1, max=9)
    share: float = setting(0.5, "A share.", min=0, max=1)
    kind: str = setting("a", "A kind.", choices=("a", "b"))
    perhaps: str | None = setting(None, "Perhaps.", choices=("c",))
    switch: bool = setting(False, "A switch.")
    name: str = setting("x", "Any text.")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"count": 1},
        {"count": 9},
        {"share": 0},
        {"share": 1.0},
        {"kind": "b"},
        {"perhaps": "c"},
        {"name": "ü \u200f"},
    ],
)
def test_valid_values_are_accepted(changes):
    check(replace(Example(), **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "`count` is 0; the smallest value is 1"),
        ({"count": 10}, "`count` is 10; the largest value is 9"),
        ({"share": -0.1}, "`share` is -0.1; the smallest value is 0"),
        ({"share": math.nan}, "`share` is nan"),
        ({"share": math.inf}, "`share` is inf; the largest value is 1"),
        ({"kind": "c"}, "`kind` is 'c'; expected one of a, b"),
        ({"perhaps": "d"}, "`perhaps` is 'd'; expected one of c"),
        ({"name": "\udcff"}, "`name` is .* expected UTF-8 text"),
    ],
)
def test_invalid_values_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        check(replace(Example(), **changes))


def test_an_option_of_an_ineffective_option_is_refused():
    """λ belongs to the linear fusion, which belongs to hybrid search."""
    for allowed in ({}, {"mode": "hybrid"}):
        check_effect(SearchConfig(fusion_weight=2.0, **allowed), {"fusion_weight", *allowed})
    with pytest.raises(UsageError, match="`fusion_weight` has an effect only with `fusion=linear`$"):
        check_effect(SearchConfig(fusion_weight=2.0, fusion="rrf"), {"fusion_weight", "fusion"})
    with pytest.raises(UsageError, match="`fusion_weight` has an effect only with `mode=hybrid`$"):
        check_effect(SearchConfig(fusion_weight=2.0, mode="dense"), {"fusion_weight", "mode"})


def test_an_option_without_effect_is_refused():
    check_effect(IndexConfig(kind="hnsw", hnsw_neighbors=8), {"kind", "hnsw_neighbors"})
    check_effect(IndexConfig(), set())
    with pytest.raises(UsageError, match=r"`hnsw_neighbors` has an effect only with `kind=hnsw`"):
        check_effect(IndexConfig(hnsw_neighbors=8), {"hnsw_neighbors"})
    with pytest.raises(UsageError, match=r"`k1` has an effect only with `kind=bm25`"):
        check_effect(IndexConfig(kind="hnsw"), {"kind", "k1"})


@pytest.mark.parametrize("option", ["words", "stride", "tail", "min_words"])
def test_split_options_have_no_effect_without_splitting(option):
    check_effect(PreprocessConfig(), {option})
    with pytest.raises(UsageError, match=rf"^`{option}` has an effect only with `split`$"):
        check_effect(PreprocessConfig(split=False), {"split", option})


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_setting_is_described_and_its_default_is_valid(config):
    check(config())
    names = {name for name, _, _, _ in described_fields(config)}
    for name, _, default, known in described_fields(config):
        assert known.help.endswith("."), name
        if known.when:
            assert known.when[0] in names
        numbers = [bound for bound in (known.min, default, known.max) if isinstance(bound, int | float)]
        assert numbers == sorted(numbers)

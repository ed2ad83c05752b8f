import pytest

from densecli.configs.file import CONFIGS
from densecli.configs.presets import PRESETS, describe_preset, preset_values
from densecli.configs.setting import check, described_fields
from densecli.errors import UsageError


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_sets_only_existing_options_with_valid_values(preset):
    for command, values in PRESETS[preset].items():
        config = CONFIGS[command](preset=preset, **values)
        check(config)
        assert dict(preset_values(type(config), command, preset, {"preset"})) == values
        told = describe_preset(command, config)
        for name, value in values.items():
            typed = f"{value:g}" if isinstance(value, float) else value
            assert f"`{name}={typed}`" in told
        assert "overridden" not in told


def test_every_command_with_presets_lists_all_of_them():
    for command, config in CONFIGS.items():
        choices = {name: known.choices for name, _, _, known in described_fields(config)}.get("preset")
        assert choices in (None, tuple(PRESETS))
        assert (choices is not None) == any(command in commands for commands in PRESETS.values())


def test_options_that_override_a_preset_are_reported():
    config = CONFIGS["train"](**{**PRESETS["paper"]["train"], "dropout": 0.3, "preset": "paper"})
    told = describe_preset("train", config)
    assert told.startswith("`preset=paper`: `batch_size=128` ")
    assert told.endswith(", and `epochs` by how much there is to train on; overridden: `dropout=0.3`")
    config = CONFIGS["train-reader"](**PRESETS["paper"]["train-reader"], batch_size=4, preset="paper")
    assert describe_preset("train-reader", config).endswith("`dropout=0.1`; overridden: `batch_size=4`")
    assert describe_preset("train", CONFIGS["train"]()) is None
    assert describe_preset("index", CONFIGS["index"]()) is None


def test_a_preset_without_effect_is_refused():
    assert preset_values(CONFIGS["search"], "search", None, set()) == {}
    with pytest.raises(UsageError, match=r"`preset=paper` has no effect with `fusion_weight`; leave"):
        preset_values(CONFIGS["search"], "search", "paper", {"preset", "fusion_weight"})
    with pytest.raises(UsageError, match=r"`preset=dpr-nq` has no effect on search; it has paper$"):
        preset_values(CONFIGS["search"], "search", "dpr-nq", set())
    assert preset_values(CONFIGS["search"], "search", "dpr", set()) == {}, "check() tells which there are"
    set_by_paper = PRESETS["paper"]["train"]
    assert preset_values(CONFIGS["train"], "train", "paper", set_by_paper) == set_by_paper, (
        "there is `epochs`"
    )
    with pytest.raises(UsageError, match=r" `similarity`, `epochs`; leave one out"):
        preset_values(CONFIGS["train"], "train", "paper", {*set_by_paper, "epochs"})

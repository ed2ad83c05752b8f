import pytest

from densecli.cli.setting_names import name_options


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`batch_size` is 0", "--batch-size is 0"),
        ('use `engine="torch"`, or `device=cpu`', "use --engine torch, or --device cpu"),
        ("`fusion_weight`, `k` and `form`", "--lambda, -k and --from"),
        ("`split=False` and `force=True`", "--no-split and --force"),
        ("run `densecli embed`; see `starter`", "run `densecli embed`; see `starter`"),
        ("no setting", "no setting"),
    ],
)
def test_settings_are_shown_as_options(said: str, shown: str) -> None:
    assert name_options(said) == shown

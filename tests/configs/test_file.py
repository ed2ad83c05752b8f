import pytest

from densecli.configs.file import config_table
from densecli.errors import InputError


def read(folder, text, command="train"):
    path = folder / "my.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config_table(path, command)


def test_shared_keys_and_command_tables_are_merged(tmp_path):
    text = """
    seed = 7
    hard-negatives = 2
    depth = 5
    [train]
    batch-size = 4
    hard_negatives = 3
    [mine-negatives]
    depth = 9
    """
    assert read(tmp_path, text) == {"seed": 7, "hard_negatives": 3, "batch_size": 4}
    assert read(tmp_path, text, "mine-negatives") == {"seed": 7, "depth": 9}
    assert read(tmp_path, text, "read") == {"depth": 5}
    assert read(tmp_path, text, "preprocess") == {}
    assert read(tmp_path, "") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch_sise = 3", "my.toml: has no option 'batch_sise'; expected .*batch_size"),
        ("[train]\nbatch_sise = 3", r"\[train\] has no option 'batch_sise'"),
        ("[train]\ndepth = 3", r"\[train\] has no option 'depth'"),
        ("[mine]\ndepth = 3", "has no option 'mine'"),
        ("[embed]\nnope = 3", r"\[embed\] has no option 'nope'"),
        ("train = 3", r"\[train\] is 3; expected a table"),
        ("[train.batch_size]\nx = 3", r"\[train\] has no option 'batch_size'"),
        ("[seed]\nx = 3", "has no option 'seed'"),
        ("batch_size", "not TOML"),
        (b"seed = '\xff'", "not TOML"),
    ],
)
def test_an_invalid_config_file_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_missing_config_file_is_reported(tmp_path):
    with pytest.raises(InputError, match="no such file; expected a TOML file"):
        config_table(tmp_path / "x.toml", "train")
    with pytest.raises(InputError, match="is a folder; expected a TOML file"):
        config_table(tmp_path, "train")

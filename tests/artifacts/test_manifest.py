import os
from pathlib import Path

import pytest

from densecli.artifacts.manifest import (
    NAME,
    Manifest,
    describe_input,
    digest_file,
    digest_texts,
    read_row,
    versions,
)
from densecli.errors import ArtifactError, InputError

WHOLE = Manifest(
    "embed",
    {"shard_rows": 256, "device": "auto", "warmup": None},
    "f00d",
    [{"path": "-"}],
    {"passages": "abc"},
    {"passages": 3},
    {"rows": 3},
    {"seconds": 1.5},
)


def read(folder):
    return Manifest.read(folder, "the vector store", "densecli embed")


def test_it_comes_back(tmp_path):
    WHOLE.write(tmp_path)
    assert read(tmp_path) == WHOLE
    row = read_row(tmp_path)
    assert row["versions"] == versions()
    assert {"python", "numpy", "torch"} <= set(row["versions"])


def test_it_says_what_is_missing_and_what_makes_it(tmp_path):
    with pytest.raises(
        ArtifactError, match=r"x: the vector store does not exist; run `densecli embed` first"
    ):
        read(tmp_path / "x")
    with pytest.raises(
        ArtifactError, match=r"is not complete \(no manifest.json\); run `densecli embed` first"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"is not complete \(unreadable manifest.json\)"),
        ("{", r"unreadable manifest.json"),
        ("[]", r"unreadable manifest.json"),
        ('{"name": "a web page", "icons": []}', r"unreadable manifest.json"),
        ('{"densecli": "9", "schema": 99}', r"made by another version .*run `densecli embed --force`"),
        (
            '{"densecli": "0", "schema": 1, "command": "index"}',
            r"is a result of `densecli index`, not of `densecli embed`",
        ),
        (
            '{"densecli": "0", "schema": 1, "command": "embed"}',
            r"no 'config' in it; run `densecli embed --force`",
        ),
    ],
)
def test_one_that_cannot_be_used_is_refused(tmp_path, text, message):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ArtifactError, match=message):
        read(tmp_path)


def test_digests(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert digest_file(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_texts(["ab", "c"]) != digest_texts(["a", "bc"]) != digest_texts(["abc"])


def test_a_file_is_described_by_its_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    told = describe_input(tmp_path / "x")
    assert told == {"path": str(tmp_path / "x"), "bytes": 3, "sha256": digest_file(tmp_path / "x")}


def test_a_folder_is_described_by_names_and_content(tmp_path):
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").write_text("1")
    (folder / os.fsdecode(b"b\xff")).write_text("2")
    first = describe_input(folder)
    assert describe_input(folder) == first
    (folder / "deep" / "a").rename(folder / "a")
    second = describe_input(folder)
    (folder / "a").write_text("3")
    assert len({first["sha256"], second["sha256"], describe_input(folder)["sha256"]}) == 3


def test_a_result_is_described_by_its_fingerprint_and_no_other_folder_is(tmp_path):
    WHOLE.write(tmp_path)
    assert describe_input(tmp_path)["sha256"] == "f00d"
    (tmp_path / NAME).write_text('{"name": "a web page"}')
    first = describe_input(tmp_path)["sha256"]
    (tmp_path / NAME).write_text("not even JSON")
    assert describe_input(tmp_path)["sha256"] not in (first, "", "f00d")


def test_what_can_be_read_once_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert describe_input("-") == {"path": "-"}
    assert describe_input(tmp_path / "pipe") == {"path": str(tmp_path / "pipe")}


def test_a_missing_input(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        describe_input(tmp_path / "x")


def test_a_name_that_is_not_utf8_is_written_out(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    path.touch()
    Manifest("x", {}, "", [describe_input(path)]).write(tmp_path)
    assert read_row(tmp_path)["inputs"][0]["path"].endswith("\\xff")

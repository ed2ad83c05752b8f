import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from densecli.artifacts.kinds import PassagesManifest
from densecli.artifacts.manifest import describe_input
from densecli.artifacts.recipe import Input, Recipe, digest_file, digest_texts, shown_path
from densecli.configs.setting import setting
from densecli.errors import InputError


@dataclass(frozen=True)
class Config:
    words: int = setting(100, "Words.")
    encoder: str = setting("bert", "Model.", names_input=True)
    device: str = setting("auto", "Device.", affects_result=False)


MADE = Recipe("make", {"words": 100, "encoder": "bert", "device": "auto"}, (Input("a.jsonl", "d1" * 8),))


@pytest.mark.parametrize(
    ("today", "difference"),
    [
        (MADE, None),
        (replace(MADE, config={**MADE.config, "words": 50}), "words was 100, now 50"),
        (replace(MADE, config={**MADE.config, "device": "cuda"}), None),
        (replace(MADE, config={**MADE.config, "encoder": "elsewhere/bert"}), None),
        (replace(MADE, inputs=(Input("b.jsonl", "d1" * 8),)), None),
        (
            replace(MADE, inputs=(Input("a.jsonl", "e2" * 8),)),
            "its input was a.jsonl, sha256 d1d1d1d1, now a.jsonl, sha256 e2e2e2e2",
        ),
        (replace(MADE, inputs=()), "its inputs were a.jsonl, now "),
        (
            replace(MADE, inputs=(Input("-"),)),
            "its input - cannot be read twice to see whether it changed",
        ),
        (replace(MADE, command="convert"), "made by make, now by convert"),
    ],
)
def test_differences_between_two_recipes_are_described(today, difference):
    assert MADE.differences(today, Config()) == ([] if difference is None else [difference])


def test_a_setting_missing_in_an_older_version_has_its_default():
    old = replace(MADE, config={"encoder": "bert"})
    assert old.differences(MADE, Config()) == []
    assert old.differences(replace(MADE, config={**MADE.config, "words": 50}), Config()) == [
        "words was 100, now 50"
    ]


def test_unfinished_work_is_identified_by_settings_that_affect_the_result():
    def digest(**changes):
        return replace(MADE, config={**MADE.config, **changes}).digest(Config())

    assert digest() == digest(device="cuda") == digest(encoder="elsewhere/bert")
    assert digest() == replace(MADE, config={}).digest(Config()), "defaults of settings that came later"
    other = replace(MADE, inputs=(Input("a.jsonl", "e2" * 8),)).digest(Config())
    assert len({digest(), digest(words=50), other, replace(MADE, command="x").digest(Config())}) == 4


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a.jsonl", "a.jsonl"),
        ("notes/a.jsonl", "notes/a.jsonl"),
        ("-", "-"),
        ("hf://some/cities@0123", "hf://some/cities@0123"),
        ("questions in memory", "questions in memory"),
        ("https://me:secret@host.org/dir/a.jsonl?signature=1#x", "https://host.org/dir/a.jsonl"),
        ("https:/host.org/a.jsonl", "https://host.org/a.jsonl"),
        ("file:///home/someone/a.jsonl", "a.jsonl"),
        ("/home/someone/notes/a.jsonl", "a.jsonl"),
        ("../someone/a.jsonl", "a.jsonl"),
        ("notes/../../someone/a.jsonl", "a.jsonl"),
        ("/home/someone/.cache/models--org--bert/snapshots/0123456789abcdef", "org/bert@0123456789abcdef"),
        ("{workspace}/examples/nq", "WORKSPACE/examples/nq"),
        ("{workspace}", "WORKSPACE"),
        ("ws/passages", "WORKSPACE/passages"),
        ("{package}/starter/reader", "starter/reader"),
    ],
)
def test_no_path_of_the_machine_is_stored(tmp_path, monkeypatch, path, shown):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ws" / "passages").mkdir(parents=True)
    package = Path(digest_file.__code__.co_filename).parent.parent
    named = path.format(workspace=tmp_path / "ws", package=package)
    assert shown_path(named, Path("ws")) == shown


def test_inputs_and_names_of_a_recipe_are_described():
    config = Config(encoder="/home/someone/bert")
    recipe = Recipe.of("make", config, [Input("/home/someone/a.jsonl", "d1", 3)])
    assert recipe == Recipe(
        "make", {"words": 100, "encoder": "bert", "device": "auto"}, (Input("a.jsonl", "d1", 3),)
    )


def test_digests_depend_on_the_exact_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert digest_file(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_texts(["ab", "c"]) != digest_texts(["a", "bc"]) != digest_texts(["abc"])


def test_a_file_is_described_by_its_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert describe_input(tmp_path / "x") == Input(str(tmp_path / "x"), digest_file(tmp_path / "x"), 3)


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
    assert len({first.sha256, second.sha256, describe_input(folder).sha256}) == 3


def test_only_an_artifact_is_described_by_its_fingerprint(tmp_path):
    PassagesManifest(fingerprint="f00d").write(tmp_path)
    assert describe_input(tmp_path).sha256 == "f00d"
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    first = describe_input(tmp_path).sha256
    (tmp_path / "manifest.json").write_text("not even JSON")
    assert describe_input(tmp_path).sha256 not in (first, "", "f00d")


def test_a_pipe_is_not_read_for_a_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert describe_input("-") == Input("-")
    assert describe_input(tmp_path / "pipe") == Input(str(tmp_path / "pipe"))


def test_a_missing_input_is_reported(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        describe_input(tmp_path / "x")


def test_a_name_that_is_not_utf8_is_escaped(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    path.touch()
    recipe = Recipe.of("x", Config(), [describe_input(path)])
    made = PassagesManifest(fingerprint="", recipe=recipe).write(tmp_path)
    assert made.recipe.inputs[0].path == "\\xff"

"""Artifacts in the making: what is up to date, what is replaced, and what a kill leaves."""

import multiprocessing
import os
import signal
import sys

import pytest

from densecli.artifacts.building import building
from densecli.artifacts.kinds import ReaderManifest, RetrieverManifest
from densecli.artifacts.manifest import read_manifest
from densecli.artifacts.recipe import Input
from densecli.configs.training import TrainConfig
from densecli.errors import ArtifactError, UpToDate
from densecli.files import atomic
from densecli.observer import SILENT

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "ctypes.call_function"}
CONFIG = TrainConfig()
INPUT = Input("examples.jsonl", "d1")


def train(target, force=False, config=CONFIG):
    """Train a model, as far as files tell."""
    with building(
        RetrieverManifest, "train", target, config, [INPUT], force, SILENT, True, ("checkpoint",)
    ) as build:
        for name in ("checkpoint", "question"):
            (build.folder / name).mkdir(exist_ok=True)
            (build.folder / name / "state").write_text(name)
            (build.folder / name / "note").write_text(name)
        build.manifest = RetrieverManifest(fingerprint="f")


def killed_at(target, step, swaps, force):
    atomic.exchange(target.parent, target.parent)  # so that only the exchange itself is counted
    if not swaps:
        atomic.exchange = lambda *_: False

    def die(event, arguments):
        nonlocal step
        if event in CHANGES or (event == "open" and arguments[2] & (os.O_CREAT | os.O_WRONLY)):
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            step -= 1

    sys.addaudithook(die)
    train(target, force)


@pytest.mark.parametrize(("swaps", "force", "step"), [(True, False, 0), (False, True, 10)])
def test_a_killed_training_leaves_no_checkpoint_in_its_model(tmp_path, swaps, force, step):
    """With `force` the beginning is the same, and is left out."""
    status = None
    while status != 0:
        target = tmp_path / str(step) / "retriever"
        target.parent.mkdir()
        if force:
            train(target)
        process = multiprocessing.get_context("fork").Process(
            target=killed_at, args=(target, step, swaps, force)
        )
        process.start()
        process.join()
        status = process.exitcode
        assert status in (0, -signal.SIGKILL)
        assert not (target / "checkpoint").exists(), step
        try:
            train(target, force)
        except UpToDate:
            assert status or not force
        assert {path.name for path in target.iterdir()} == {"manifest.json", "question"}, step
        assert read_manifest(target, RetrieverManifest).files.keys() == {"question/note", "question/state"}
        assert [path.name for path in target.parent.iterdir()] == ["retriever"], step
        step += 1
    assert step > 10


def test_a_setting_without_an_effect_on_the_result_changes_nothing(tmp_path):
    train(tmp_path / "x")
    with pytest.raises(UpToDate):
        train(tmp_path / "x", config=TrainConfig(device="cuda", gradient_checkpointing=True))
    with pytest.raises(ArtifactError, match=r"built differently \(seed was 12345, now 1\)"):
        train(tmp_path / "x", config=TrainConfig(seed=1))


def test_an_artifact_of_another_kind_is_never_replaced(tmp_path):
    train(tmp_path / "x")
    with (
        pytest.raises(ArtifactError, match="is an artifact of kind retriever, and reader is to be written"),
        building(ReaderManifest, "train-reader", tmp_path / "x", CONFIG, [INPUT], True, SILENT),
    ):
        pass
    assert read_manifest(tmp_path / "x", RetrieverManifest)

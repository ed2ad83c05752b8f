from pathlib import Path

import pytest

from densecli.io.workspace import VARIABLE, Workspace, find_workspace


@pytest.fixture(autouse=True)
def _somewhere(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_named_one_then_the_variable_then_the_nearest_then_here(tmp_path, monkeypatch):
    assert find_workspace(None) == Workspace(tmp_path / "a" / "b" / ".densecli")
    (tmp_path / ".densecli").mkdir()
    assert find_workspace(None) == Workspace(tmp_path / ".densecli")
    (tmp_path / "a" / ".densecli").mkdir()
    assert find_workspace(None) == Workspace(tmp_path / "a" / ".densecli")
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    assert find_workspace(None) == Workspace(Path("/elsewhere"))
    assert find_workspace(Path("named")) == Workspace(Path("named"))


def test_a_file_of_that_name_is_no_workspace(tmp_path):
    (tmp_path / ".densecli").touch()
    assert find_workspace(None).root == tmp_path / "a" / "b" / ".densecli"


def test_looking_creates_nothing(tmp_path):
    assert not find_workspace(None).prepared
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_it_is_prepared_when_there_are_passages(tmp_path):
    (tmp_path / "passages").mkdir()
    assert Workspace(tmp_path).prepared

import os
from pathlib import Path

import pytest

from densecli.artifacts.workspace import VARIABLE, Workspace, find_workspace, name_of_set
from densecli.errors import UsageError


@pytest.fixture(autouse=True)
def _somewhere(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    monkeypatch.delenv(VARIABLE, raising=False)


def test_option_variable_nearest_and_current_folder_have_this_order(tmp_path, monkeypatch):
    assert find_workspace(None) == Workspace(tmp_path / "a" / "b" / ".densecli")
    (tmp_path / ".densecli").mkdir()
    assert find_workspace(None) == Workspace(tmp_path / ".densecli")
    (tmp_path / "a" / ".densecli").mkdir()
    assert find_workspace(None) == Workspace(tmp_path / "a" / ".densecli")
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    assert find_workspace(None) == Workspace(Path("/elsewhere"))
    assert find_workspace(Path("named")) == Workspace(Path("named"))


def test_a_file_with_that_name_is_not_a_workspace(tmp_path):
    (tmp_path / ".densecli").touch()
    assert find_workspace(None).root == tmp_path / "a" / "b" / ".densecli"


def test_searching_a_workspace_creates_nothing(tmp_path):
    assert not find_workspace(None).prepared
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_a_workspace_with_passages_is_prepared(tmp_path):
    (tmp_path / "passages").mkdir()
    assert Workspace(tmp_path).prepared


def test_a_workspace_knows_whether_it_is_in_a_parent_folder(tmp_path):
    assert not find_workspace(None).above
    (tmp_path / ".densecli").mkdir()
    assert find_workspace(None).above
    assert not find_workspace(tmp_path / ".densecli").above
    (tmp_path / "a" / "b" / ".densecli").mkdir()
    assert not find_workspace(None).above


@pytest.mark.parametrize(
    ("questions", "name"),
    [
        ("q.jsonl", "q"),
        ("x/nq-dev.qa.csv", "nq-dev"),
        ("a..b.json.gz", "a..b"),
        ("Fragen für Meg.txt", "Fragen für Meg"),
    ],
)
def test_a_set_has_the_name_of_its_questions(questions, name):
    assert name_of_set(questions) == name


@pytest.mark.parametrize(
    "questions",
    [
        "...jsonl",
        "..jsonl",
        ".jsonl",
        "..",
        ".",
        "/",
        ".hidden.jsonl",
        "a\nb.csv",
        "\x1b[2J",
        "x" * 101,
        "\udce9.txt",
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(questions):
    with pytest.raises(UsageError, match="name an `output`"):
        name_of_set(questions)


def test_a_pipe_needs_a_named_output(tmp_path):
    os.mkfifo(tmp_path / "63")
    with pytest.raises(UsageError, match="name an `output`"):
        name_of_set(str(tmp_path / "63"))

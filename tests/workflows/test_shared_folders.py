"""People share workspaces and models: no file in them names a folder of the machine where it was made."""

import shutil
from pathlib import Path

import pytest

import densecli

MADE = Path(__file__).parents[1] / "artifacts" / "workspace_0_1"
SMALL = {
    "batch_size": 2, "epochs": 1, "max_passage_tokens": 48, "max_question_tokens": 16, "device": "cpu",
    "precision": "fp32",
}  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home of someone, with a corpus, questions, search results and an encoder in it."""
    home = tmp_path / "home" / "someone"
    home.mkdir(parents=True)
    for name in ("articles.jsonl", "questions.jsonl", "found.jsonl", "base"):
        source = MADE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, home / name)
    (home / "notes").mkdir()
    (home / "notes" / "river.md").write_text("# River\n\nThe river is born in the sea.\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return home


def test_no_file_contains_a_folder_of_the_machine(home):
    """All inputs have absolute paths, and are outside of the working directory."""
    workspace, base = home / "ws", str(home / "base")
    densecli.preprocess([home / "articles.jsonl", home / "notes"], workspace=workspace, words=20)
    densecli.index(workspace=workspace, kind="bm25")
    densecli.mine_negatives(home / "questions.jsonl", workspace=workspace)
    questions = home / "questions.jsonl"
    densecli.train("questions", workspace=workspace, encoder=base, dev="questions", exclude=[], **SMALL)
    densecli.embed(workspace=workspace, device="cpu", precision="fp32")
    densecli.index(workspace=workspace)
    densecli.tune_fusion_weight(questions, workspace=workspace)
    densecli.train_reader(
        home / "found.jsonl", workspace=workspace, encoder=base, joint=str(workspace / "retriever"),
        batch_size=2, max_tokens=48, passages=3, device="cpu", precision="fp32",
    )  # fmt: skip
    outputs = {
        "beir": {"source": workspace / "examples" / "questions" / "examples.jsonl", "to": "beir"},
        "hf": {"source": workspace / "retriever", "to": "dpr-hf"},
        "st": {"source": workspace / "retriever", "to": "sentence-transformers"},
        "dpr": {"source": workspace / "vectors", "to": "dpr-vectors"},
        "vectors": {"source": home / "dpr", "to": "vectors"},
        "retriever": {"source": home / "hf", "to": "retriever"},
    }
    for name, settings in outputs.items():
        densecli.convert(**settings, output=home / name, workspace=workspace)
    made = [workspace, *(home / name for name in outputs)]
    named = [
        path.relative_to(home).as_posix()
        for folder in made
        for path in folder.rglob("*")
        if path.is_file() and any(one in path.read_bytes() for one in (b"home/someone", b"elsewhere"))
    ]
    assert not named
    assert densecli.status(workspace, verify=True).damaged == ()

"""The README's blocks marked `<!-- run -->` are run, in order, in one folder with the notes of examples/."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- run -->\n```console\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!http)([^)#]+)")


def test_the_commands_of_the_readme_run(tmp_path: Path, shell_env: dict[str, str]) -> None:
    shutil.copytree(ROOT / "examples" / "notes", tmp_path / "notes")
    for questions in (ROOT / "examples").glob("*.jsonl"):
        shutil.copy(questions, tmp_path)
    lines = [
        line[2:] for block in BLOCK.findall(README) for line in block.splitlines() if line.startswith("$ ")
    ]
    assert len(lines) >= 8
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=shell_env, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.mark.parametrize("target", sorted(set(LINK.findall(README))))
def test_the_links_have_targets(target: str) -> None:
    assert (ROOT / target).exists()


def sentences() -> list[str]:
    """The sentences of the running text: no code, tables, headings, pictures or commands."""
    text = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    lines = [line for line in text.splitlines() if not line.startswith(("    ", "|", "#", "!", "<"))]
    paragraphs = re.split(r"\n\s*\n|\n- ", "\n".join(lines))
    plain = [re.sub(r"\]\([^)]*\)", "]", " ".join(paragraph.split())) for paragraph in paragraphs]
    return [sentence for paragraph in plain for sentence in re.split(r"(?<=[.:!?]) ", paragraph) if sentence]


def test_the_readme_and_its_sentences_are_short() -> None:
    assert len(README.splitlines()) <= 150
    assert len(sentences()) > 30
    assert not [sentence for sentence in sentences() if len(sentence.split()) > 25]

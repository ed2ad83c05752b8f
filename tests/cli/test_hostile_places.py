"""Whatever stands where a command writes, and however its output is named: nothing of the user's changes.

A folder that somebody hands on may have anything under the names that densecli uses: git keeps links, too.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.program import Program

SMALL = ("--encoder", "base", "--epochs", 1, "--batch-size", 4)
FOLDERS = {
    "passages": ["preprocess", "articles.jsonl", "--words", 7],
    "bm25": ["index", "--kind", "bm25", "--k1", 1.2],
    "index": ["index", "--kind", "hnsw"],
    "examples/questions": ["mine-negatives", "questions.jsonl", "--depth", 9, "--workers", 1],
    "vectors": ["embed", "--batch-tokens", 99],
    "retriever": ["train", *SMALL, "--max-passage-tokens", 64],
    "reader": ["train-reader", "found.jsonl", *SMALL, "--max-tokens", 64],
}
"""What each command makes in the workspace when no output is named."""
ELSEWHERE = {
    "dpr-hf": ["convert", ".densecli/retriever", "--to", "dpr-hf"],
    "vectors for others": ["convert", ".densecli/vectors", "--to", "dpr-vectors"],
    "BEIR": ["convert", ".densecli/examples/questions/examples.jsonl", "--to", "beir"],
}
"""Commands that write a folder and want its name."""
FILES = {
    "search": ["search", "questions.jsonl", "-k", 3, "--mode", "bm25"],
    "read": ["read", "found.jsonl"],
    "evaluate": ["evaluate", "read.jsonl"],
    "convert": ["convert", "questions.jsonl", "--to", "dpr"],
    "checkpoint": ["convert", ".densecli/retriever", "--to", "dpr-checkpoint"],
}
"""Commands that write a file and want its name."""
SLOW = {"retriever", "reader", "vectors"}
USERS = ["home/key", "home/docs", "home/empty", "home/nothing", "home", "."]
SCRATCH = ["", "/lock", "/work", "/work/manifest.json", "/old", "/gone"]
LOCK = b"densecli 1"
OLD_NAMES = [".{}.lock", ".{}.old", ".{}.gone"]


def snapshot(root: Path) -> dict[str, object]:
    """Return what is at each path: a file's bytes, where a link leads, or that it is a folder."""
    found: dict[str, object] = {}
    for folder, _, names in os.walk(root):
        found[os.path.relpath(folder, root)] = "folder"
        for name in [
            *names,
            *(one for one in os.listdir(folder) if os.path.islink(os.path.join(folder, one))),
        ]:
            path = Path(folder) / name
            inside = os.path.relpath(path, root)
            found[inside] = os.readlink(path) if path.is_symlink() else path.read_bytes()
    return found


@st.composite
def traps(draw: st.DrawFn, target: str) -> list[tuple[str, str]]:
    """Return what stands where a target grows: its path, and what it links to, or what else it is."""
    folder, _, name = target.rpartition("/")
    inside = folder and folder + "/"
    scratch = draw(st.sampled_from(SCRATCH))
    places = st.one_of(
        st.just(f"{inside}.{name}.partial{scratch}"),
        st.sampled_from([f"{inside}{old.format(name)}" for old in OLD_NAMES]),
    )
    kinds = st.sampled_from([*USERS, "file", "full folder", "empty folder", "lock"])
    return draw(st.lists(st.tuples(places, kinds), max_size=3))


def lay(place: Path, box: Path, path: str, kind: str) -> None:
    target = place / path
    if os.path.lexists(target) or not target.parent.resolve().is_relative_to(place):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        target.write_text("precious")
    elif kind == "lock":
        target.write_bytes(LOCK)
    elif kind.endswith("folder"):
        target.mkdir()
        if kind.startswith("full"):
            (target / "thesis.txt").write_text("precious")
    else:
        target.symlink_to(os.path.relpath(box / kind, target.parent))


PARTS = st.sampled_from(
    [
        "..",
        ".",
        "a",
        "data",
        "build",
        "link",
        "deep",
        "...",
        "-x",
        "é\u202e\n",
        "home",
        ".densecli",
        "passages",
    ]
)
OUTPUTS = st.lists(PARTS, min_size=1, max_size=5).map("/".join).filter(lambda path: path.strip("./"))


class Box:
    """A home with precious files, and in it a project where densecli works."""

    def __init__(self, tiny_place: Path) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="densecli-box-"))
        shutil.copytree(tiny_place, self.root / "place")
        for name in ("home/docs/thesis.txt", "home/key", "place/data/thesis.txt", "place/deep/er/thesis.txt"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text("precious")
        (self.root / "home" / "empty").mkdir()
        (self.root / "place" / "link").symlink_to("../home/docs")
        self.program = Program(self.root / "place", self.root)

    def check(self, line: list[object], target: Path, before: dict[str, object]) -> None:
        """Run a command; check that it changed nothing but what it is to make."""
        own = os.path.relpath(os.path.realpath(target), self.root)
        ended = self.program.call(*line)
        assert ended.status in (0, 2, 3, 4, 5), ended.stderr
        after = snapshot(self.root)
        hidden = os.path.join(os.path.dirname(own), f".{os.path.basename(own)}.partial")
        inside = [path for path in before if path.startswith(hidden + "/")]
        marked = before.get(hidden) == "folder" and (not inside or before.get(f"{hidden}/lock") == LOCK)
        spared = (own, hidden) if marked else (own,)
        for path, content in before.items():
            if any(path == one or path.startswith(one + "/") for one in spared):
                continue
            assert path in after, f"{path} is gone: {ended.stderr}"
            assert after[path] == content, f"{path} has changed: {ended.stderr}"
        if before.get(own) == "folder" and f"{own}/manifest.json" not in before:
            for path in before:
                if path.startswith(own + "/"):
                    assert after.get(path) == before[path], f"{path} was in a folder that is no result"
        parents = {os.path.relpath(one, self.root) for one in Path(self.root / own).parents}
        for path in after.keys() - before.keys():
            allowed = path in parents or any(
                path == one or path.startswith(one + "/") for one in (own, hidden)
            )
            assert allowed, f"{path} has been made: {ended.stderr}"

    def remove(self) -> None:
        shutil.rmtree(self.root)


def examples(name: str) -> settings:
    return settings(
        max_examples=3 if name in SLOW else 15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_files_of_the_user_at_scratch_paths_are_kept(tiny_place: Path, name: str) -> None:
    @examples(name)
    @given(found=traps(f".densecli/{name}"), missing=st.booleans())
    def run(found: list[tuple[str, str]], missing: bool) -> None:
        box = Box(tiny_place)
        target = box.program.workspace / name
        if missing:
            shutil.rmtree(target)
        for path, kind in found:
            lay(box.program.folder, box.root, path, kind)
        box.check([*FOLDERS[name], "--force"], target, snapshot(box.root))
        box.remove()

    run()


@pytest.mark.parametrize("name", FOLDERS | ELSEWHERE)
def test_files_of_the_user_are_kept_when_an_output_folder_is_named(tiny_place: Path, name: str) -> None:
    @examples(name)
    @given(output=OUTPUTS, force=st.booleans())
    def run(output: str, force: bool) -> None:
        box = Box(tiny_place)
        line = [*(FOLDERS | ELSEWHERE)[name], "-o", f"./{output}", *["--force"] * force]
        box.check(line, box.program.folder / output, snapshot(box.root))
        box.remove()

    run()


@pytest.mark.parametrize("name", FILES)
def test_files_of_the_user_are_kept_when_an_output_file_is_named(tiny_place: Path, name: str) -> None:
    @examples(name)
    @given(output=OUTPUTS, found=traps("x.jsonl"))
    def run(output: str, found: list[tuple[str, str]]) -> None:
        box = Box(tiny_place)
        for path, kind in found:
            lay(box.program.folder, box.root, path, kind)
        for place in (output, "x.jsonl"):
            before = snapshot(box.root)
            box.check([*FILES[name], "-o", f"./{place}"], box.program.folder / place, before)
        box.remove()

    run()


@pytest.mark.parametrize("questions", ["...jsonl", "..jsonl", ".jsonl", "..qa.csv", ". .jsonl", "\n.jsonl"])
def test_an_unsafe_name_made_from_an_input_is_refused(tiny_place: Path, questions: str) -> None:
    box = Box(tiny_place)
    shutil.copy(box.program.folder / "questions.jsonl", box.program.folder / questions)
    before = snapshot(box.root)
    ended = box.program.call("mine-negatives", f"./{questions}", "--workers", 1, "--force")
    assert ended.status == 2
    assert "name an --output" in ended.stderr
    assert snapshot(box.root) == before
    box.remove()


@pytest.mark.parametrize("kind", ["home/key", "home/nothing"])
def test_a_tuned_weight_is_not_written_through_a_link(tiny_place: Path, kind: str) -> None:
    box = Box(tiny_place)
    lay(box.program.folder, box.root, ".densecli/index/fusion.json", kind)
    before = snapshot(box.root)
    assert box.program.call("search", "--tune-lambda", "questions.jsonl").status == 4
    assert snapshot(box.root) == before
    box.remove()

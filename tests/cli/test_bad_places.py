"""A full disk, places that may not be read or written: one line, exit code 5, earlier results untouched."""

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WRITES = {
    "passages": ["preprocess", "articles.jsonl", "--words", "5", "--force"],
    "bm25": ["index", "--kind", "bm25", "--k1", "1.2", "--force"],
    "examples": ["mine-negatives", "questions.jsonl", "--depth", "9", "--force"],
    "retriever": ["train", "--encoder", "base", "--epochs", "1", "--batch-size", "4", "--force"],
    "reader": ["train-reader", "found.jsonl", "--encoder", "base", "--force"],
    "vectors": ["embed", "--batch-tokens", "99", "--force"],
    "index": ["index", "--kind", "hnsw", "--force"],
}
FILES = {
    "search": ["search", "questions.jsonl", "-o"],
    "read": ["read", "found.jsonl", "-o"],
    "evaluate": ["evaluate", "found.jsonl", "-o"],
}
LEFT = {".vectors.partial", ".bm25.partial"}  # from which `embed` and `index` go on


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes: a full disk that needs no rights to make."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("size", [0, 300])
def test_a_full_disk_is_reported_at_any_time(prepared, name, size):
    before = prepared.results()
    with files_of_at_most(size):
        ended = prepared.call(*WRITES[name])
    assert ended.status == 5, ended.stderr
    assert "no space left" in ended.error or "disk is full" in ended.error
    assert prepared.results() == before
    assert prepared.leftovers() <= LEFT
    prepared.call(*WRITES[name]).well()
    assert prepared.leftovers() == set()


@pytest.mark.parametrize("command", FILES)
def test_an_output_file_that_does_not_fit_is_reported(prepared, command):
    prepared.write("out.jsonl", "earlier")
    with files_of_at_most(20):
        ended = prepared.call(*FILES[command], "out.jsonl")
    assert (ended.status, "no space left" in ended.error) == (5, True)
    assert (prepared.folder / "out.jsonl").read_text() == "earlier\n"
    assert not list(prepared.folder.glob(".out*"))


@pytest.mark.parametrize("form", ["dpr-hf", "sentence-transformers", "dpr-checkpoint"])
def test_an_exported_model_that_does_not_fit_is_reported(prepared, form):
    before = prepared.results()
    with files_of_at_most(20_000):
        ended = prepared.call("convert", prepared.workspace / "retriever", "--to", form, "-o", "out")
    assert (ended.status, "no space left" in ended.error) == (5, True)
    assert not (prepared.folder / "out").exists()
    assert not list(prepared.folder.glob(".out*"))
    assert prepared.results() == before


def test_a_full_standard_output_is_reported(prepared):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            prepared.line("evaluate", "found.jsonl"), cwd=prepared.folder, env=prepared.environment(),
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert done.stderr.startswith("error: standard output: no space left")


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path | None]:
    """Mount a disk of `size` bytes in memory; None where that is not allowed."""
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(line, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["passages", "bm25", "examples", "index", "vectors"])
def test_a_small_disk_is_reported(prepared, tmp_path, name):
    """A real one where the machine lets us mount it, else as above."""
    before = prepared.results()
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        target = (disk or tmp_path / "disk") / "out"
        if disk:
            (disk / "earlier").write_bytes(bytes(60 * 1024))
        with files_of_at_most(resource.RLIM_INFINITY if disk else 300):
            ended = prepared.call(*WRITES[name], "-o", target)
        assert ended.status == 5, ended.stderr
        assert "no space left" in ended.error
        assert not target.exists()
        assert {path.name for path in target.parent.iterdir()} <= {"earlier", ".out.partial"}
        assert not disk or (disk / "earlier").read_bytes() == bytes(60 * 1024)
    assert prepared.results() == before


def test_imported_vectors_on_a_small_disk_are_reported(prepared, tmp_path):
    """They come in any order; written through a memory map they would end in SIGBUS, without a line."""
    prepared.call("embed", "--retriever", "starter", "-o", "ours").well()  # of several pages
    prepared.call("convert", "ours", "--to", "dpr-vectors", "-o", "theirs").well()
    line = ("convert", "theirs", "--to", "vectors", "--retriever", "starter")
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        if disk:
            (disk / "earlier").write_bytes(bytes(52 * 1024))
        with files_of_at_most(resource.RLIM_INFINITY if disk else 300):
            ended = prepared.run(*line, "-o", (disk or tmp_path) / "out")
    assert (ended.status, "no space left" in ended.error) == (5, True)


@contextmanager
def rights_count() -> Iterator[None]:
    """Make permissions hold for root too: this thread gives CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH away
    for a while."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    held = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, held) == 0
    fewer = (ctypes.c_uint32 * 6)(*held)
    fewer[0] &= ~0b110
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert libc.capset(header, held) == 0


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    """Give a path other permissions for a while."""
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def denied(program, *arguments):
    """Run a command that must fail for want of permission and change nothing; return its one line."""
    with program.unchanged(), rights_count():
        ended = program.call(*arguments)
    assert ended.status == 5, ended.stderr
    assert "Permission denied; choose another place, or change who may read and write it" in ended.error
    return ended.error


@pytest.mark.parametrize("name", WRITES)
def test_a_read_only_workspace_is_reported(prepared, name):
    place = prepared.workspace / "examples" if name == "examples" else prepared.workspace
    with mode(place, 0o555):
        assert str(place) in denied(prepared, *WRITES[name])


@pytest.mark.parametrize("command", FILES)
def test_a_read_only_folder_is_reported(prepared, command):
    (prepared.folder / "closed").mkdir()
    with mode(prepared.folder / "closed", 0o555):
        assert "closed" in denied(prepared, *FILES[command], "closed/out.jsonl")
        assert "closed" in denied(prepared, *FILES[command], "closed/deeper/out.jsonl")


def test_a_place_without_write_permission_is_reported(program):
    program.write("a.jsonl", {"id": 1, "text": "one"})
    with mode(program.folder, 0o555):
        assert str(program.workspace) in denied(program, "preprocess", "a.jsonl")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("articles.jsonl", ["preprocess", "articles.jsonl", "--force"]),
        ("questions.jsonl", ["search", "questions.jsonl"]),
        ("found.jsonl", ["read", "found.jsonl"]),
        ("found.jsonl", ["evaluate", "found.jsonl"]),
        (".densecli/passages/passages.arrow", ["search", "who"]),
        (".densecli/passages/manifest.json", ["search", "who"]),
        (".densecli/vectors/shard-00000.npy", ["index", "--force"]),
        (".densecli/retriever/model.json", ["search", "who"]),
        (".densecli/retriever/question/weights.safetensors", ["search", "who"]),
        (".densecli/reader/tokenizer.json", ["read", "found.jsonl"]),
        (".densecli/bm25/settings.json", ["search", "who", "--mode", "bm25"]),
        (".densecli/index/index.faiss", ["search", "who"]),
    ],
)
def test_an_unreadable_file_is_reported(prepared, path, line):
    with mode(prepared.folder / path, 0), rights_count():
        ended = prepared.call(*line)
    by_others = path.endswith(("model.json", ".safetensors", "tokenizer.json", "settings.json"))
    assert ended.status in ((4, 5) if by_others else (5,)), ended.stderr
    assert Path(path).name in ended.error
    assert "ermission denied" in ended.error


def test_searching_and_reading_need_no_write_permission(prepared):
    """Searching and reading in a place that belongs to others, and hearing that all is up to date."""
    with mode(prepared.workspace, 0o555), mode(prepared.folder, 0o555), rights_count():
        prepared.call("search", "who was born in Rome").well()
        prepared.call("read", "who was born in Rome").well()
        assert "up to date" in prepared.call("embed").well().stderr
        assert "up to date" in prepared.call("index").well().stderr


def test_a_file_in_place_of_a_folder_is_reported(prepared):
    assert prepared.call("preprocess", "articles.jsonl", "-w", "articles.jsonl").status == 5
    ended = prepared.call("search", "questions.jsonl", "-o", "articles.jsonl/out")
    assert (ended.status, "articles.jsonl" in ended.error) == (5, True)
    assert prepared.call("search", "who", "-o", "x" * 300).status == 5


def test_a_removed_working_folder_is_reported(prepared):
    (prepared.folder / "gone").mkdir()
    line = f"cd gone && rmdir {prepared.folder / 'gone'} && exec " + " ".join(prepared.line("search", "who"))
    done = subprocess.run(
        ["sh", "-c", line], cwd=prepared.folder, env=prepared.environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert done.stderr.startswith("error: ")


def test_devices_are_written_and_not_replaced(prepared):
    prepared.call("search", "questions.jsonl", "-o", os.devnull).well()
    assert Path(os.devnull).is_char_device()


def test_more_threads_than_any_system_starts_are_as_many_as_the_cores(program):
    """OpenMP would crash the process."""
    ended = program.run("search", "who voiced Meg", "-k", 1, OMP_NUM_THREADS="100000").well()
    assert "Meg Griffin" in ended.stdout


@pytest.mark.parametrize(
    ("said", "meant"), [("1", "1"), ("9" * 5_000, "all"), ("100000,1", "all,1"), ("x", "x")]
)
def test_threads_are_limited_to_the_cores_when_densecli_is_imported(said, meant):
    asked = "import os, densecli; print(os.environ['MKL_NUM_THREADS'])"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "MKL_NUM_THREADS": said},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == meant.replace("all", str(os.cpu_count()))

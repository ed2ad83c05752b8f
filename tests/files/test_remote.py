"""Files that a URL names: over HTTP, and through fsspec, here in a file system in memory."""

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from densecli.artifacts.manifest import describe_input
from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.columns import Columns
from densecli.corpus.detect import open_sources, sniff
from densecli.corpus.parquet import parquet_source
from densecli.errors import ArtifactError, InputError, UsageError
from densecli.files.streams import open_bytes
from densecli.files.urls import is_remote, url_of
from densecli.formats.read_questions import read_questions
from hub_server import Trouble, serving

LINES = b'{"question": "who"}\n{"question": "what"}\n'


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()


def asked(path):
    return [one.question for one in read_questions(path)]


def read(path):
    with open_bytes(path) as stream:
        return stream.read()


@pytest.mark.parametrize("path", ["memory://q.jsonl", "memory:/q.jsonl"])
def test_a_file_on_another_file_system_is_read(memory, path):
    """A path object makes one slash of two."""
    memory.pipe_file("/q.jsonl", LINES)
    assert asked(path) == ["who", "what"]


def test_a_compressed_remote_file_is_read(memory):
    import gzip

    memory.pipe_file("/q.jsonl.gz", gzip.compress(LINES))
    assert asked("memory://q.jsonl.gz") == ["who", "what"]


def test_a_file_is_read_over_http():
    with serving() as host:
        host.files["/q.jsonl"] = LINES
        assert asked(f"{host.url}/q.jsonl") == ["who", "what"]
        host.troubles["/q.jsonl"].append(Trouble(status=302, location="/elsewhere"))
        host.files["/elsewhere"] = LINES[:20]
        assert read(f"{host.url}/q.jsonl") == LINES[:20]


def test_server_errors_are_reported():
    with serving() as host:
        host.files["/q.jsonl"] = LINES * 1000
        with pytest.raises(InputError, match=r"nothing: no such file, or it is not public \(404 "):
            read(f"{host.url}/nothing")
        host.troubles["/q.jsonl"].append(Trouble(status=503))
        with pytest.raises(ArtifactError, match="q.jsonl: the server says 503"):
            read(f"{host.url}/q.jsonl")
        host.troubles["/q.jsonl"].append(Trouble(cut_after=100))
        with pytest.raises(ArtifactError, match=r"q\.jsonl: broke off \(.*; try again"):
            read(f"{host.url}/q.jsonl")
    with pytest.raises(ArtifactError, match=r"q\.jsonl: out of reach \("):
        read(f"{host.url}/q.jsonl")


def test_fsspec_errors_are_reported(memory):
    with pytest.raises(InputError, match="memory://nothing: no such file"):
        read("memory://nothing")
    with pytest.raises(UsageError, match=r"s3://b/x: reading s3:// needs s3fs; pip install s3fs"):
        read("s3://b/x")
    with pytest.raises(UsageError, match=r"nope://x: no way to read it \("):
        read("nope://x")


def test_a_remote_folder_of_shards_is_read(memory):
    for name in ("part-1.jsonl", "part-0.jsonl", "below/part-2.jsonl", ".hidden/part.jsonl", "README.md"):
        memory.pipe_file(f"/set/{name}", b'{"question": "%s"}\n' % name.encode())
    for path in ("memory://set", "memory://set/", "memory:/set"):
        assert asked(path) == ["below/part-2.jsonl", "part-0.jsonl", "part-1.jsonl"]
    memory.pipe_file("/mixed/train-0.jsonl", LINES)
    memory.pipe_file("/mixed/test-0.jsonl", LINES)
    with pytest.raises(InputError, match=r"memory://mixed: holds files of several splits \(test, train\)"):
        asked("memory://mixed")
    memory.pipe_file("/notes/a.txt", b"text")
    for reader in (asked, sniff):
        with pytest.raises(InputError, match=r"notes: no \.jsonl, .* file in it; .* must be on this machine"):
            reader("memory://notes")


def test_a_remote_folder_is_a_corpus(memory):
    for number in (0, 1):
        memory.pipe_file(f"/set/train-{number}.jsonl", b'{"_id": "%d", "text": "words"}\n' % number)
    sources = list(open_sources(["memory://set"], PreprocessConfig()))
    assert [source.name for source in sources] == [
        "memory://set/train-0.jsonl",
        "memory://set/train-1.jsonl",
    ]
    records = [source.parse(payload) for source in sources for _, payload in source.raw]
    assert [one.id for one in records] == ["0", "1"]
    first = describe_input("memory://set")
    assert first == describe_input("memory://set")
    memory.pipe_file("/set/train-1.jsonl", b'{"_id": "2", "text": "other words"}\n')
    assert first.sha256 != describe_input("memory://set").sha256


def test_a_file_url_names_a_local_file_or_folder(tmp_path):
    (tmp_path / "q.jsonl").write_bytes(LINES)
    for path in (
        tmp_path.as_uri(),
        f"{tmp_path.as_uri()}/q.jsonl",
        str(Path(f"{tmp_path.as_uri()}/q.jsonl")),
    ):
        assert asked(path) == ["who", "what"]
    with pytest.raises(InputError, match="nothing: no such file"):
        asked(f"{tmp_path.as_uri()}/nothing")
    (tmp_path / "a.md").write_text("text")
    with pytest.raises(InputError, match="is a document at a URL; expected a copy of it on this machine"):
        next(open_sources([f"{tmp_path.as_uri()}/a.md"], PreprocessConfig()))


@pytest.mark.parametrize("page", [b"<!DOCTYPE HTML>\n<title>Index of /set/</title>", b"\n<html lang=en>"])
def test_a_web_page_is_no_file(page):
    with serving() as host:
        host.files["/set/"] = host.files["/q.jsonl"] = page
        for name in ("set/", "q.jsonl"):
            for reader in (asked, sniff):
                with pytest.raises(InputError, match=f"{name}: is a web page; expected the URL of a file; "):
                    reader(f"{host.url}/{name}")


def test_a_local_name_with_a_colon_is_local(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memory:").mkdir()
    (tmp_path / "memory:" / "q.jsonl").write_bytes(LINES)
    assert asked("memory:/q.jsonl") == ["who", "what"]
    assert [is_remote(path) for path in ("c:/x", "x:y", "a/b://c", "-", "http:x")] == [False] * 5
    assert url_of("https:/host/x") == "https://host/x"
    assert url_of("file:/x") == url_of("file://x") == "file:///x"


def test_a_changed_file_has_another_digest(memory):
    memory.pipe_file("/q.jsonl", LINES)
    first = describe_input("memory://q.jsonl")
    assert first == describe_input("memory://q.jsonl")
    memory.pipe_file("/q.jsonl", LINES + LINES)
    assert first.sha256 != describe_input("memory://q.jsonl").sha256
    with serving() as host:
        host.files["/q.jsonl"] = LINES
        first = describe_input(f"{host.url}/q.jsonl")
        assert first == describe_input(f"{host.url}/q.jsonl")
        host.files["/q.jsonl"] = LINES + LINES
        assert first.sha256 != describe_input(f"{host.url}/q.jsonl").sha256


def test_a_remote_parquet_file_is_read(memory, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": ["a"], "text": ["some words"]}), tmp_path / "x.parquet")
    data = (tmp_path / "x.parquet").read_bytes()
    memory.pipe_file("/x.parquet", data)
    with serving() as host:
        host.files["/x.parquet"] = data
        for path in ("memory://x.parquet", f"{host.url}/x.parquet"):
            source = parquet_source(path, Columns())
            assert [source.parse(payload).text for _, payload in source.raw] == ["some words"]


def test_a_file_on_the_hugging_face_hub_is_read(tmp_path):
    """In a process of its own: the Hub's client takes its address when it is imported."""
    program = (
        "import sys; from densecli.formats.read_questions import read_questions\n"
        "print([one.question for one in read_questions(sys.argv[1])])"
    )
    with serving() as host:
        host.add_repo("a/b", "c" * 40, {"q.jsonl": LINES, "set/0.jsonl": LINES, "set/1.jsonl": LINES})
        offline = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
        environment = offline | {"HF_ENDPOINT": host.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
        for name, times in (("q.jsonl", 1), ("set", 2)):
            line = [sys.executable, "-c", program, f"hf://datasets/a/b/{name}"]
            done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
            assert done.stdout == f"{['who', 'what'] * times}\n"

"""Files that a URL names: over HTTP, and through fsspec, here in a file system in memory."""

import os
import subprocess
import sys

import fsspec
import pytest

from densecli.artifacts.manifest import describe_input
from densecli.corpus.columns import Columns
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
    with pytest.raises(UsageError, match=r"s3://b/x: reading s3:// needs s3fs; install it"):
        read("s3://b/x")
    with pytest.raises(UsageError, match=r"nope://x: no way to read it \("):
        read("nope://x")


def test_a_local_name_with_a_colon_is_local(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memory:").mkdir()
    (tmp_path / "memory:" / "q.jsonl").write_bytes(LINES)
    assert asked("memory:/q.jsonl") == ["who", "what"]
    assert [is_remote(path) for path in ("c:/x", "x:y", "a/b://c", "-", "http:x")] == [False] * 5
    assert url_of("https:/host/x") == "https://host/x"


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
        host.add_repo("a/b", "c" * 40, {"q.jsonl": LINES})
        offline = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
        environment = offline | {"HF_ENDPOINT": host.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
        line = [sys.executable, "-c", program, "hf://datasets/a/b/q.jsonl"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "['who', 'what']\n"

"""`datasets` and `huggingface_hub` as they are, in processes of their own, against a server like the Hub."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from densecli.registry.hub import values_at
from hub_server import Host, Trouble, serving

CODE = """
import json, pickle, sys
from densecli.errors import DenseError
from densecli.corpus.columns import Columns
from densecli.registry.hub import stream_corpus
from densecli.registry.hub_files import fetch_examples, resolve_revision
from pathlib import Path

def corpus(name):
    source = stream_corpus(name, Columns())
    parse = pickle.loads(pickle.dumps(source.parse))
    return [(place, type(parse(row)).__name__, parse(row).id, source.size(row)) for place, row in source.raw]

def examples(repo, target):
    told = []
    fetch_examples(repo, "train", Path(target), lambda came, whole: told.append((came, whole)))
    return told

for call in json.loads(sys.argv[1]):
    try:
        made = {"examples": examples, "corpus": corpus, "pinned": resolve_revision}[call[0]]
        print(json.dumps(made(*call[1:])))
    except DenseError as error:
        print(json.dumps(str(error)))
"""
WIKIPEDIA = """---
configs:
- config_name: 20231101.de
  data_files: 20231101.de/*
- config_name: 20231101.en
  data_files: 20231101.en/*
---
"""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def articles(*names: str) -> bytes:
    return parquet([{"id": name, "url": "u", "title": "T", "text": "a b c"} for name in names])


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with serving() as host:
        host.add_repo("wikimedia/wikipedia", "a" * 40, {
            "README.md": WIKIPEDIA.encode(),
            "20231101.en/train-00000-of-00002.parquet": articles("1", "2"),
            "20231101.en/train-00001-of-00002.parquet": articles("3"),
            "20231101.de/train-00000-of-00001.parquet": articles("9"),
        })  # fmt: skip
        host.add_repo("facebook/wiki_dpr", "b" * 40, {
            "README.md": b"", "wiki_dpr.py": b"open('it-ran', 'w')",
            "data/psgs_w100/no_embeddings/train-0.parquet": articles("7"),
        })  # fmt: skip
        host.add_repo("some/lines", "c" * 40, {
            "README.md": b"", "data/dev.jsonl": b'{"_id": "d", "text": "x"}\n',
            "data/test.jsonl": b'{"_id": "t", "text": "x"}\n',
        })  # fmt: skip
        host.add_repo("Tevatron/wikipedia-nq", "d" * 40, {
            "README.md": b"", "wikipedia-nq.py": b"open('it-ran', 'w')",
            "nq-train.jsonl.gz": bytes(500_000), "nq-dev.jsonl.gz": b"dev",
        })  # fmt: skip
        outside = {"../nq-train.jsonl.gz": b"x", "nq-dev.jsonl.gz": b"dev", "README.md": b""}
        host.add_repo("Tevatron/none", "e" * 40, outside)
        yield host


def answers(host: Host, folder: Path, *calls: tuple[str, ...], **more: str) -> list[Any]:
    """Make the calls in one new process; return what each gave, an error as its text."""
    settings = {"HF_ENDPOINT": host.url, "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(calls)],
        cwd=folder,
        env=os.environ | settings | {"no_proxy": "127.0.0.1"} | more,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing below cli/ talks"
    assert not list(folder.rglob("it-ran")), "a script of the Hub was run"
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_corpus_is_streamed(host: Host, tmp_path: Path) -> None:
    pin, english, config, german, script, files, split, dev, unknown = answers(
        host,
        tmp_path,
        ("pinned", "wikimedia/wikipedia:20231101.en"),
        ("corpus", "wikimedia/wikipedia:20231101.en"),
        ("corpus", "wikimedia/wikipedia"),
        ("corpus", f"wikimedia/wikipedia:20231101.de@{'a' * 40}"),
        ("corpus", "facebook/wiki_dpr"),
        ("corpus", "facebook/wiki_dpr:data/psgs_w100/no_embeddings/*.parquet"),
        ("corpus", "some/lines"),
        ("corpus", "some/lines::test"),
        ("corpus", "no/such"),
    )
    assert pin == f"wikimedia/wikipedia:20231101.en@{'a' * 40}"
    assert english == [[number, "Article", str(number), 8] for number in (1, 2, 3)]
    assert "Config name is missing" in config
    assert german == [[1, "Article", "9", 8]]
    assert "facebook/wiki_dpr on the Hub: it has a loading script, which is never run; name its" in script
    assert files == [[1, "Article", "7", 8]]
    assert "name a split, as some/lines::validation; it has validation, test" in split
    assert dev == [[1, "Passage", "t", 2]]
    assert "'no/such' doesn't exist on the Hub" in unknown


def test_unreachable_and_offline_are_reported_immediately(host: Host, tmp_path: Path) -> None:
    (lost,) = answers(host, tmp_path, ("corpus", "a/b"), HF_ENDPOINT="http://127.0.0.1:9")
    assert lost == "a/b on the Hub: 127.0.0.1 is out of reach"
    refused, pin = answers(host, tmp_path, ("corpus", "a/b"), ("pinned", "a/b:c"), HF_HUB_OFFLINE="1")
    assert pin == "a/b:c"
    assert "a/b on the Hub: Couldn't reach 'a/b' on the Hub" in refused


def test_tevatron_examples_are_resumed_and_complete(host: Host, tmp_path: Path) -> None:
    path = f"/datasets/Tevatron/wikipedia-nq/resolve/{'d' * 40}/nq-train.jsonl.gz"
    host.troubles[path].append(Trouble(cut_after=100_000))
    told, missing = answers(
        host,
        tmp_path,
        ("examples", "Tevatron/wikipedia-nq", str(tmp_path / "data" / "nq-train.jsonl.gz")),
        ("examples", "Tevatron/none", str(tmp_path / "other.gz")),
    )
    assert (tmp_path / "data" / "nq-train.jsonl.gz").read_bytes() == bytes(500_000)
    assert told[-1] == [500_000, 500_000]
    assert len(host.ranges_asked(path)) == 2
    assert missing == "Tevatron/none: 0 files on the Hub end in train.jsonl.gz, not one"


@pytest.mark.parametrize(
    ("row", "column", "values"),
    [
        ({"answer": ["A", "B"]}, "answer", ["A", "B"]),
        ({"answer": {"value": "A", "aliases": ["B", "C"]}}, "answer.aliases", ["B", "C"]),
        ({"answer": {"value": "A"}}, "answer.value", ["A"]),
        ({"answers": {"text": ["A", "A"], "answer_start": [1, 2]}}, "answers.text", ["A", "A"]),
        ({"answers": [{"text": "A"}, {"text": "B"}]}, "answers.text", ["A", "B"]),
        ({"answers": []}, "answers.text", []),
    ],
)
def test_answers_are_read_from_the_columns_of_each_dataset(row: Any, column: str, values: list[str]) -> None:
    assert values_at(row, column.split(".")) == values

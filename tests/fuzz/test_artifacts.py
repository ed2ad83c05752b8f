"""Damaged files in every artifact: it is refused with its file, or gives some result; no traceback, no hang.

FUZZ_EXAMPLES says how many damages each file gets: few in CI, and many by `just fuzz`.
"""

import os
import random
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from densecli.artifacts.fusion_weight import FusionWeight
from densecli.artifacts.manifest import read_any_manifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import VectorStore
from densecli.dense.index import DenseIndex
from densecli.encoders.engines import EngineRequest, open_passage_encoder, open_question_encoder
from densecli.errors import DenseError
from densecli.formats.read_any import open_records
from densecli.observer import SILENT
from densecli.reader.engines import open_reader
from densecli.records import Passage
from densecli.workflows.engines import open_bm25

MADE = Path(__file__).parents[1] / "artifacts" / "workspace_0_1" / "workspace"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
SECONDS = 10
NOT_READ = {"plan", "metrics.jsonl", "training.svg"}
NUMBERS = [b"0", b"-1", b"9" * 11, b"9" * 30, b"1e999", b'"\xe2\x80\xae"', b"null", b"[]", b"2147483648"]
KING = Passage("1", "Ulm", "The king of Ulm was born in the sea.")
ENGINE = EngineRequest("onnxruntime", "cpu", "fp32")


def use_passages(place: Path) -> None:
    store = PassageStore.open(place / "passages")
    assert [store[row] for row in range(len(store))] == list(store)
    for name in ("Ulm#0", "Lima#1", "nowhere"):
        store.row_of(name)


def use_bm25(place: Path) -> None:
    index = open_bm25(place / "bm25", PassageStore.open(place / "passages"))
    index.search(["who was born in Ulm", "king river"], 5)
    index.score(["king of Ulm"], np.array([[0, 1, 11, -1]]))


def use_index(place: Path) -> None:
    index = DenseIndex.open(place / "index")
    index.search(np.ones((2, 8), np.float32), 3)
    index.score(np.ones((1, 8), np.float32), np.array([[0, 3, 11]]))
    FusionWeight.read(place / "index")


def use_vectors(place: Path) -> None:
    store = VectorStore.open(place / "vectors")
    store.take(np.arange(len(store)))


def use_examples(place: Path) -> None:
    folder = place / "examples" / "questions"
    read_any_manifest(folder)
    with open_records(str(folder), None) as (records, _):
        list(records)


def use_retriever(place: Path) -> None:
    read_any_manifest(place / "retriever")
    open_question_encoder(place / "retriever", ENGINE).encode(["who was born in Ulm"])
    open_passage_encoder(place / "retriever", ENGINE).encode([KING])


def use_reader(place: Path) -> None:
    read_any_manifest(place / "reader")
    reader = open_reader(place / "reader", ENGINE, True, None, SILENT)
    list(reader.read_passages(iter([("who was born", [KING])])))


def damages(data: bytes, draw: random.Random) -> Iterator[bytes]:
    """Yield damaged forms of a file, without an end: mostly near its beginning, where the sizes are."""
    while True:
        at = draw.randrange(len(data) if draw.random() < 0.6 else min(len(data), 200))
        numbers = list(re.finditer(rb"\d+", data[:20_000])) or [re.match(b"", data)]
        number = draw.choice(numbers)
        assert number is not None
        yield draw.choice(
            [
                data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :],
                data[:at] + draw.choice([b"\0", b"\xff", b"9", b'"', b"{"]) + data[at + 1 :],
                data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :],
                data[:at] + bytes(8) + data[at + 8 :],
                data[:at],
                data + data,
                data[: number.start()] + draw.choice(NUMBERS) + data[number.end() :],
                draw.randbytes(draw.choice([0, 1, 50, len(data)])),
            ]
        )


def out_of_time(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


@pytest.mark.parametrize(
    ("name", "use", "share"),
    [
        ("passages", use_passages, 1),
        ("bm25", use_bm25, 1),
        ("index", use_index, 1),
        ("vectors", use_vectors, 1),
        ("examples", use_examples, 1),
        ("retriever", use_retriever, 5),
        ("reader", use_reader, 5),
    ],
)
def test_no_damaged_artifact_breaks_the_program(
    tmp_path: Path, name: str, use: Callable[[Path], None], share: int
) -> None:
    """A model takes longest to open: its files get a `share`-th of the damages."""
    place = shutil.copytree(MADE, tmp_path / "workspace")
    use(place)
    before = signal.signal(signal.SIGALRM, out_of_time)
    refused = 0
    try:
        for path in sorted((place / name).rglob("*")):
            if not path.is_file() or path.name in NOT_READ or "reader/retriever" in path.as_posix():
                continue
            data = path.read_bytes()
            draw = random.Random(path.name)
            for damaged, _ in zip(damages(data, draw), range(-(-EXAMPLES // share)), strict=False):
                path.write_bytes(damaged)
                signal.alarm(SECONDS)
                try:
                    use(place)
                except DenseError:
                    refused += 1
                finally:
                    signal.alarm(0)
            path.write_bytes(data)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert refused
    use(place)

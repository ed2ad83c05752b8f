"""A place to run the program in, empty or prepared from a tiny corpus with a tiny model."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.program import Program

CITIES = [
    "Ulm",
    "Rome",
    "Paris",
    "Oslo",
    "Lima",
    "Cairo",
    "Quito",
    "Delhi",
    "Seoul",
    "Tunis",
    "Turin",
    "Riga",
]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Densecli in an empty folder."""
    (tmp_path / "place").mkdir()
    program = Program(tmp_path / "place", tmp_path)
    yield program
    program.stop()


@pytest.fixture(scope="session")
def tiny_place(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with articles, questions, search results, predictions, and a workspace in which every stage
    has run, on models of two layers trained for one pass."""
    own = tmp_path_factory.mktemp("tiny")
    (own / "place").mkdir()
    program = Program(own / "place", own)
    program.write("articles.jsonl", *({"id": city, "title": city, "text": article(city)} for city in CITIES))
    program.write(
        "questions.jsonl", *({"question": f"who was born in {city}", "answers": [city]} for city in CITIES)
    )
    shutil.copytree(tiny_base, program.folder / "base")
    small = ("--encoder", "base", "--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64)
    program.call("preprocess", "articles.jsonl", "--words", 20).well()
    program.call("index", "--kind", "bm25").well()
    program.call("mine-negatives", "questions.jsonl").well()
    program.call("train", *small).well()
    program.call("embed").well()
    program.call("index").well()
    program.call("search", "questions.jsonl", "-k", 5, "-o", "found.jsonl").well()
    program.call(
        "train-reader", "found.jsonl", "--encoder", "base", "--batch-size", 4, "--max-tokens", 64
    ).well()
    program.call("read", "found.jsonl", "-o", "read.jsonl").well()
    return program.folder


def article(city: str) -> str:
    """Fifty words about a city, in three passages of at most 20."""
    return f"The king of {city} wrote a song of the sea. The film {city} was born in the river. " * 3


@pytest.fixture
def prepared(tiny_place: Path, tmp_path: Path) -> Iterator[Program]:
    """Densecli in a copy of the tiny place, to break."""
    shutil.copytree(tiny_place, tmp_path / "place")
    program = Program(tmp_path / "place", tmp_path)
    yield program
    program.stop()

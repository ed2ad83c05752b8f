"""KILT's knowledge source."""

import json

import pytest

from corpus_files import records, write
from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.detect import open_sources
from densecli.corpus.kilt import parse_article
from densecli.corpus.source import Dropped
from densecli.errors import FieldError
from densecli.records import Article

ROW = {
    "_id": "290",
    "wikipedia_id": "290",
    "wikipedia_title": "A",
    "text": ["A\n", "First paragraph.\n", "Section::::History.\n", "BULLET::::- An item.\n", "\n", "Last.\n"],
    "anchors": [],
}


@pytest.mark.parametrize("name", ["kilt_knowledgesource.json", "x.jsonl", "x"])
def test_an_article_consists_of_its_prose(tmp_path, name):
    path = write(tmp_path, name, json.dumps(ROW) + "\n")
    [source] = open_sources([path], PreprocessConfig())
    assert records(source) == [Article("290", "A", "First paragraph.\nAn item.\nLast.")]


def test_an_article_without_prose_is_dropped():
    row = ROW | {"text": ["A\n", "Section::::See also.\n"]}
    assert parse_article(json.dumps(row).encode()) == Dropped("without_text")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": "words"}, "'text' is str 'words'; expected a list"),
        ({"text": ["a", None]}, "'text' holds null"),
    ],
)
def test_an_article_in_another_format_is_refused(change, told):
    with pytest.raises(FieldError, match=told):
        parse_article(json.dumps(ROW | change).encode())

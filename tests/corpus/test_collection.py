"""Collections without a header, as MS MARCO and ColBERT have them."""

import pytest

from corpus_files import records, write
from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.collection import collection_source
from densecli.corpus.detect import open_sources, sniff
from densecli.errors import FieldError, InputError
from densecli.records import Passage

MSMARCO = '0\tfirst passage text\n1\t"Quoted" words begin this one\r\n7\tstray "quote\n'
COLBERT = "0\tfirst passage text\tTitle A\n1\tmore text\t\n"


def test_every_line_is_a_passage_and_quotes_are_plain_text(tmp_path):
    path = write(tmp_path, "collection.tsv", MSMARCO)
    assert sniff(path) == "collection"
    assert records(collection_source(path)) == [
        Passage("0", "", "first passage text"),
        Passage("1", "", '"Quoted" words begin this one'),
        Passage("7", "", 'stray "quote'),
    ]


@pytest.mark.parametrize("name", ["collection.tsv", "collection", "collection.tsv.gz"])
def test_a_third_column_is_the_title(tmp_path, name):
    path = write(tmp_path, name, COLBERT)
    [source] = open_sources([path], PreprocessConfig())
    assert records(source) == [Passage("0", "Title A", "first passage text"), Passage("1", "", "more text")]


@pytest.mark.parametrize(
    "text",
    ["0\tTitle A\ta text that is longer than its title\n", "d1\tsome text\n", "0\t1\n", "0\ta\tb\tc\td\n"],
)
def test_a_file_that_looks_like_another_table_is_not_read_as_a_collection(tmp_path, text):
    path = write(tmp_path, "x.tsv", text)
    assert sniff(path) == "tsv"
    with pytest.raises(InputError, match="`input_format` collection reads a file without a header"):
        list(open_sources([path], PreprocessConfig()))


def test_input_format_selects_the_collection_format(tmp_path):
    path = write(tmp_path, "x.tsv", "d1\tsome text\n")
    [source] = open_sources([path], PreprocessConfig(input_format="collection"))
    assert records(source) == [Passage("d1", "", "some text")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"2\ta\tb", r"another number of columns \(3\); expected an id and a text"),
        (b"2", r"another number of columns \(1\)"),
        (b"\ta", "an empty id"),
        (b"2\tcaf\xe9", r"not UTF-8 \(0xE9 is byte 6\)"),
        (b"2\ta\0", "NUL"),
    ],
)
def test_an_invalid_line_is_refused(tmp_path, line, told):
    source = collection_source(write(tmp_path, "x.tsv", b"0\tfirst\n" + line + b"\n"))
    _, (_, payload) = source.raw
    with pytest.raises(FieldError, match=told):
        source.parse(payload)

import bz2
import gzip
import json
import pickle

import pytest

from densecli.corpus.source import Dropped
from densecli.corpus.wikipedia.extractor import read_extracted
from densecli.errors import FieldError, InputError
from densecli.records import Article

DOCS = (
    '<doc id="12" url="https://x.org/wiki?curid=12" title="Ada "A" B">\n'
    'Ada "A" B\n\nShe &lt;3 it.\nMore.\n\n</doc>\n'
    '<doc id="13" revid="5" url="https://x.org" title="Empty">\n\n</doc>\n\n'
    '<doc id="14" title="C &amp; D">\nC\n</doc>\n'
)
ARTICLES = [
    Article("12", 'Ada "A" B', "She <3 it.\nMore."),
    Dropped("without_text"),
    Article("14", "C & D", "C"),
]


def rows(*texts):
    return "".join(
        json.dumps({"id": str(n), "revid": "1", "url": "u", "title": "T", "text": text}) + "\n"
        for n, text in enumerate(texts)
    )


def parsed(path):
    source = read_extracted(str(path))
    return [pickle.loads(pickle.dumps(source.parse))(payload) for _, payload in source.raw]


@pytest.mark.parametrize(
    ("name", "pack"), [("wiki_00", bytes), ("wiki_00.bz2", bz2.compress), ("x.gz", gzip.compress)]
)
def test_articles_between_doc_tags_are_read(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(DOCS.encode()))
    assert parsed(path) == ARTICLES
    assert [place for place, _ in read_extracted(str(path)).raw] == [1, 8, 12]


def test_articles_in_json_lines_are_read(tmp_path):
    path = tmp_path / "wiki_00"
    path.write_text(rows("a b", "", "T\n\nbody", "T", "T is a letter."))
    assert parsed(path) == [
        Article("0", "T", "a b"),
        Dropped("without_text"),
        Article("2", "T", "body"),
        Article("3", "T", "T"),
        Article("4", "T", "T is a letter."),
    ]


def test_an_article_with_only_a_title_has_no_text(tmp_path):
    path = tmp_path / "wiki_00"
    path.write_text('<doc id="1" url="u" title="A &amp; B">\nA &amp; B\n\n</doc>\n')
    assert parsed(path) == [Dropped("without_text")]


def test_a_wikiextractor_folder_is_read_in_file_order(tmp_path):
    for name, data in {"AB/wiki_00": rows("three"), "AA/wiki_01": rows("two"), "AA/notes.txt": "x"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(data)
    (tmp_path / "AA" / "wiki_00.bz2").write_bytes(bz2.compress(DOCS.encode()))
    found = parsed(tmp_path)
    assert found == [*ARTICLES, Article("0", "T", "two"), Article("0", "T", "three")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ": is empty"),
        (b"\n\n# notes\n", ":3: begins with '# notes"),
        (b'<doc id="1" title="T">\ntext\n', ":1: no </doc> for this article; expected the whole file"),
        (DOCS.encode() + b"stray\n", ":15: begins with 'stray"),
    ],
)
def test_a_file_in_another_format_is_refused(tmp_path, data, message):
    path = tmp_path / "wiki_00"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"wiki_00{message}"):
        parsed(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{broken\n", "broken JSON"),
        (b'{"title": "T", "text": "x"}\n', "no field 'id'"),
        (b"<doc title>\nx\n</doc>\n", "begins with '<doc title>'"),
        (b'<doc id="1" title="T">\n\xff\n</doc>\n', "not UTF-8"),
    ],
)
def test_an_error_in_a_folder_names_the_file(tmp_path, data, message):
    (tmp_path / "AA").mkdir()
    (tmp_path / "AA" / "wiki_07").write_bytes(rows("x").encode() + data)
    with pytest.raises(FieldError, match=message):
        parsed(tmp_path / "AA" / "wiki_07")
    with pytest.raises(FieldError, match=message) as caught:
        parsed(tmp_path)
    assert caught.value.place == (str(tmp_path / "AA" / "wiki_07"), 2)


def test_a_folder_without_articles_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file of WikiExtractor in it"):
        parsed(tmp_path)


def test_a_broken_file_of_a_folder_is_one_bad_record(tmp_path):
    (tmp_path / "AA").mkdir()
    files = {
        "wiki_00": b"",
        "wiki_01": rows("first").encode(),
        "wiki_02": rows("second").encode() + b"what\n",
    }
    files["wiki_03"] = gzip.compress(rows("third", "fourth").encode())[:-9]
    files["wiki_04"] = rows("last").encode()
    for name, data in files.items():
        (tmp_path / "AA" / name).write_bytes(data)
    source = read_extracted(str(tmp_path))
    texts, faults = [], []
    for _, payload in source.raw:
        try:
            texts.append(source.parse(payload).text)
        except FieldError as error:
            faults.append((error.place[0].removeprefix(f"{tmp_path}/AA/"), error.place[1], error.what))
    assert (texts[:2], texts[-1]) == (["first", "second"], "last")
    assert faults == [
        ("wiki_00", None, "is empty"),
        ("wiki_02", 2, "begins with 'what\\n'"),
        ("wiki_03", None, "the gzip stream is cut off or broken"),
    ]

import gzip
import os
from pathlib import Path

import pytest

from densecli.errors import InputError
from densecli.io.sources import read_folder, read_psgs, read_sources, sniff
from densecli.records import Article, Passage

HEADER = "id\ttext\ttitle\n"


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(path)


@pytest.mark.parametrize("name", ["x.tsv", "x.tsv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_psgs(tmp_path, name, end):
    text = '\ufeffid\ttext\ttitle\n1\t"say ""hi"", then"\tA\n2\tb\t"two ""q"""\n\n3\tx, y\tC\u200f\n'
    path = write(tmp_path, name, text.replace("\n", end))
    assert list(read_psgs(path)) == [
        Passage("1", "A", 'say "hi", then'),
        Passage("2", 'two "q"', "b"),
        Passage("3", "C\u200f", "x, y"),
    ]


def test_psgs_fields_may_hold_line_ends(tmp_path):
    path = write(tmp_path, "x.tsv", HEADER + '1\t"a\n\nb\tc"\tT\n2\td\tT\n')
    assert [passage.text for passage in read_psgs(path)] == ["a\n\nb\tc", "d"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": is empty; expected a header and at least one passage"),
        ("id\ttitle\ttext\n1\ta\tb\n", ":1: the header is 'id|title|text'"),
        ('{"id": 1, "text": "b"}\n', ":1: the header is"),
        (HEADER + "1\ta\tT\n2\tb\n", ":3: 2 fields; expected 3: id, text, title"),
        (HEADER + "1\ta\tT\tU\n", ":2: 4 fields"),
        (HEADER + '1\ta\tT\n2\t"b\nc\tT\n3\td\tT\n', r":3: not a TSV \(unexpected end of data\)"),
        (HEADER + '1\t"a" b\tT\n', ":2: not a TSV"),
        (HEADER + "1\ta\0\tT\n", ":2: 'text' holds a NUL"),
        (HEADER.encode() + b"1\ta\tT\n" * 9000 + b"2\t\xff\tT\n", ":9002: not UTF-8"),
        (HEADER.encode() + b"1\t\xed\xa0\x80\tT\n", ":2: not UTF-8"),
    ],
)
def test_a_psgs_file_that_cannot_be_used(tmp_path, content, message):
    path = write(tmp_path, "x.tsv", content)
    with pytest.raises(InputError, match=rf"^{path}{message}"):
        list(read_psgs(path))


def test_psgs_with_a_million_words_in_a_field(tmp_path):
    path = write(tmp_path, "x.tsv", HEADER + "1\t" + "word " * 1_000_000 + "\tT\n")
    assert len(next(read_psgs(path)).text) == 5_000_000


def test_a_folder_of_text(tmp_path):
    write(tmp_path, "b.txt", "\ufeffplain\n")
    write(tmp_path, "a/deep.MD", "\n# The Title \nbody\n# more")
    write(tmp_path, "a/note.md", "no heading\n# later")
    write(tmp_path, "picture.png", b"\xff")
    (tmp_path / "folder.txt").mkdir()
    assert list(read_folder(tmp_path)) == [
        Article("a/deep.MD", "The Title", "body\n# more"),
        Article("a/note.md", "note", "no heading\n# later"),
        Article("b.txt", "b", "plain\n"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.png", "a", "no .txt or .md file in it; expected at least one"),
        ("x.txt", b"\xff", r"x\.txt: not UTF-8"),
        ("x.txt", "a\0", r"x\.txt: holds a NUL character"),
        (os.fsdecode(b"\xff.txt"), "a", "its name is not UTF-8"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path, name, content, message):
    write(tmp_path, name, content)
    with pytest.raises(InputError, match=message):
        list(read_folder(tmp_path))


def test_the_form_goes_by_kind_and_name(tmp_path):
    assert sniff(str(tmp_path)) == "folder"
    assert [sniff(name) for name in ("x.tsv", "x.tsv.gz", "x.jsonl", "x.jsonl.gz", "x", "-")] == [
        "psgs", "psgs", "jsonl", "jsonl", "jsonl", "jsonl"
    ]  # fmt: skip


def test_several_sources_follow_each_other_or_have_the_form_that_is_named(tmp_path):
    rows = write(tmp_path, "rows.jsonl", '{"id": "j", "text": "t"}\n')
    table = write(tmp_path, "table", HEADER + "p\tt\tT\n")
    write(tmp_path, "notes/n.txt", "t")
    sources = [rows, str(tmp_path / "notes")]
    assert [one.id for one in read_sources(sources)] == ["j", "n.txt"]
    assert list(read_sources([table], "psgs")) == [Passage("p", "T", "t")]
    with pytest.raises(InputError, match="table:1: broken JSON"):
        list(read_sources([table]))
    with pytest.raises(InputError, match=r"no \.txt or \.md file"):
        list(read_sources([rows], "folder"))
    with pytest.raises(InputError, match="is a folder"):
        list(read_sources([str(tmp_path)], "jsonl"))
    with pytest.raises(InputError, match="no such file"):
        list(read_sources([str(Path(rows).with_name("nowhere.tsv"))]))
